import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startTestApi, type TestApi } from '../../testing/http.ts';
import { sendRaw, statusesOf } from '../../testing/raw-http.ts';

let api: TestApi;
beforeEach(async () => {
  api = await startTestApi();
});
afterEach(() => api.close());

/** What once made a validator look away (fastify), one per way. */
const TYPES: readonly string[][] = [
  [],
  ['Content-Type:'],
  ['Content-Type: application/json\t; charset=utf-8'],
  ['Content-Type:  application/json '],
  ['Content-Type: application/jsonp'],
  ['Content-Type: text/plain, application/json'],
  ['Content-Type: application/json;text/html'],
  ['Content-Type: APPLICATION/JSON'],
  ['Content-Type: application/vnd.api+json'],
  ['Content-Type: multipart/form-data; boundary=x'],
  ['Content-Type: application/x-www-form-urlencoded'],
  ['Content-Type: text/plain', 'Content-Type: application/json'],
  ['Content-Type: application/json; charset=utf-16le'],
  ['Content-Encoding: gzip'],
  ['Content-Type: \x80\xff'],
];

async function put(path: string, body: string, headers: readonly string[]): Promise<{ status: number | undefined; text: string }> {
  const head = [`PUT ${path} HTTP/1.1`, 'Host: x', ...headers, `Content-Length: ${Buffer.byteLength(body)}`, 'Connection: close'];
  const received = await sendRaw(api.port, Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`, 'latin1'));
  return { status: statusesOf(received)[0], text: received.slice(received.indexOf('\r\n\r\n') + 4) };
}

describe('a body is decoded and validated whatever its type (CVE-2022-41919, CVE-2025-32442, CVE-2026-25223, CVE-2026-3419, CVE-2026-33806)', () => {
  it.each(TYPES.map((headers) => [headers.join(' + ') || 'no type', headers] as const))('%s', async (_name, headers) => {
    expect(await put('/v1/agent/service/register', '{"Port":1}', headers)).toEqual({ status: 400, text: 'Missing service name' });
    expect(await put('/v1/agent/service/register', '{"Name":"a","Port":"x"}', headers)).toMatchObject({ status: 400 });
    expect(await put('/v1/agent/service/register', 'Name=a', headers)).toMatchObject({ status: 400 });
    expect(await put('/v1/session/create', '{"TTL":7}', headers)).toMatchObject({ status: 400 });
    expect(api.services.registrations).toEqual([]);
    expect(await put('/v1/agent/service/register', '{"Name":"a"}', headers)).toMatchObject({ status: 200 });
    expect(api.services.registrations).toHaveLength(1);
  });
});
