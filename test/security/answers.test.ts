import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { apiRoutes } from '../../packages/client-agent/src/http/v1/index.ts';
import { sendRaw, statusesOf } from '../../packages/client-agent/src/testing/raw-http.ts';
import { type LiveAgent, startLiveAgent } from '../../packages/cli/src/testing/live-agent.ts';

/** What a whole agent answers to a browser, or to who makes a browser ask: security.md 5.1 (UI XSS), Envoy rows on inflating and labels. */
const MARKUP = '<script>alert(1)</script>';
const METHODS = ['GET', 'PUT', 'POST', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH', 'TRACE'];
/** They end the agent, or never end themselves. */
const UNASKED: ReadonlySet<string> = new Set(['PUT /v1/agent/leave', 'GET /v1/agent/monitor', 'GET /v1/agent/metrics/stream']);
const BLOCKED_MS = 10_000;

let agent: LiveAgent;
let port: number;
beforeAll(async () => {
  agent = await startLiveAgent('-hcl', 'telemetry { prometheus_retention_time = "60s" }', '-log-level=trace');
  port = Number(agent.address.split(':')[1]);
});
afterAll(() => agent.stop());

const ask = (path: string, init: RequestInit = {}): Promise<Response> =>
  fetch(`http://${agent.address}${path}`, { redirect: 'manual', signal: AbortSignal.timeout(BLOCKED_MS), ...init });

/** Every header line of every answer, as a browser would read them. */
async function headOf(method: string, path: string, headers = ''): Promise<string> {
  const received = await sendRaw(port, `${method} ${path} HTTP/1.1\r\nHost: x\r\n${headers}Content-Length: 0\r\nConnection: close\r\n\r\n`);
  return received.slice(0, received.indexOf('\r\n\r\n'));
}

describe('no answer can be taken for a page (CVE-2020-25864, CVE-2024-10086)', () => {
  it('every route and method has nosniff, a type wherever it has a body, and is HTML nowhere', async () => {
    const wrong: string[] = [];
    for (const path of new Set(apiRoutes.map((route) => route.path))) {
      for (const method of METHODS) {
        if (UNASKED.has(`${method} ${path}`)) continue;
        const head = await headOf(method, path.endsWith('/') ? `${path}x` : path);
        const hasBody = !/^content-length: 0$/im.test(head) && method !== 'HEAD';
        const isTyped = /^content-type: (?:application\/json|application\/x-gzip|text\/plain)/im.test(head);
        if (!/^x-content-type-options: nosniff$/im.test(head) || (hasBody && !isTyped)) wrong.push(`${method} ${path}\n${head}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it('nor a path that is no route, a request line that is refused, or bytes that are no HTTP', async () => {
    for (const path of ['/', '/x', '/v1/x', '/v1//kv', '/ui', '/ui/', '/robots.txt', '/v1/kv/%zz', '/v1/kv/a%00b', '*', '/v1/kv/a?%zz'])
      expect([path, await headOf('GET', path)]).toEqual([path, expect.stringMatching(/x-content-type-options: nosniff/i)]);
    expect(await sendRaw(port, 'garbage\r\n\r\n')).toMatch(/^HTTP\/1.1 400 [\s\S]*x-content-type-options: nosniff/i);
  });

  it('a stored page comes back raw as plain text, whatever type it was stored with', async () => {
    await ask('/v1/kv/page', { method: 'PUT', body: MARKUP, headers: { 'Content-Type': 'text/html' } });
    const raw = await ask('/v1/kv/page?raw', { headers: { Accept: 'text/html' } });
    expect(await raw.text()).toBe(MARKUP);
    expect(raw.headers.get('content-type')).toMatch(/^(?:text\/plain|application\/octet-stream)/);
    expect(raw.headers.get('x-content-type-options')).toBe('nosniff');
    expect(raw.headers.get('content-security-policy')).toBe('sandbox');
  });

  it('names come back with their markup escaped (security.md UI XSS)', async () => {
    const body = JSON.stringify({ Name: 'page', ID: MARKUP, Tags: [MARKUP], Meta: { a: MARKUP } });
    expect((await ask('/v1/agent/service/register', { method: 'PUT', body })).status).toBe(200);
    for (const path of ['/v1/agent/services', '/v1/catalog/service/page', '/v1/health/service/page?pretty', '/ui/', `/ui/${MARKUP}`]) {
      const response = await ask(path);
      expect([path, response.status]).toEqual([path, 200]);
      expect((await response.text()).includes('<script>')).toBe(false);
    }
    expect((await ask('/ui/')).headers.get('content-security-policy')).toContain("default-src 'none'");
    for (const path of [`/x//${encodeURIComponent(MARKUP)}`, '/x//"onmouseover="alert(1)']) {
      expect(await (await ask(path)).text()).not.toMatch(/<script|"onmouseover/);
    }
    const quoted = await sendRaw(port, `GET /x//${MARKUP.replaceAll(' ', '')} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    expect(quoted).not.toContain('<script>');
  });

  it.each([
    '//evil.example',
    '//evil.example/..',
    '/\\evil.example//',
    '//\\evil.example',
    '/.//evil.example',
    '///evil.example',
    '/x/..//evil.example',
    '/\\/evil.example',
  ])('a redirect of %s stays on this agent', async (path) => {
    const head = await headOf('GET', path);
    const location = /^location: (.*)$/im.exec(head)?.[1];
    // As browsers read it: a backslash is a slash to them (WHATWG URL).
    if (location !== undefined) expect(new URL(location, 'http://agent.test/').host).toBe('agent.test');
  });
});

describe('what a client sends', () => {
  it('is never inflated, so no bomb goes off (Envoy CVE-2022-29225)', async () => {
    const bomb = gzipSync(Buffer.alloc(64 * 2 ** 20));
    const stored = await ask('/v1/kv/bomb', { method: 'PUT', body: bomb, headers: { 'Content-Encoding': 'gzip' } });
    expect(stored.status).toBe(200);
    const [entry] = (await (await ask('/v1/kv/bomb')).json()) as { Value: string }[];
    expect(Buffer.from(entry?.Value ?? '', 'base64').equals(bomb)).toBe(true);
    const json = gzipSync(JSON.stringify({ Name: 'inflated' }));
    const registered = await ask('/v1/agent/service/register', { method: 'PUT', body: json, headers: { 'Content-Encoding': 'gzip' } });
    expect(registered.status).toBe(400);
  });

  it('never becomes the name or the label of a metric (Envoy CVE-2026-48706)', async () => {
    const long = 'n'.repeat(4_000);
    for (let index = 0; index < 300; index++) await (await ask(`/v1/health/service/canary${index}`)).text();
    for (const path of [`/v1/kv/${long}`, `/v1/${long}`, `/v1/catalog/service/${long}`, '/v1/kv/canary?canary=1'])
      await (await ask(path)).text();
    await sendRaw(port, 'CANARY /v1/kv/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    const metrics = await (await ask('/v1/agent/metrics?format=prometheus')).text();
    const json = await (await ask('/v1/agent/metrics')).text();
    expect(metrics).toContain('api_http');
    for (const text of [metrics, json]) expect(text.toLowerCase()).not.toMatch(/canary|nnnn/);
  });

  it('leaves one line a request in the log, with control bytes escaped (Envoy CVE-2024-45808)', async () => {
    const hostile = '/v1/kv/a%0a2026-01-01T00:00:00.000Z%20[ERROR]%20forged%1b[2J%c2%9b31m%e2%80%a8end';
    await ask(hostile, { method: 'PUT', body: 'x' });
    await ask('/v1/agent/service/register', { method: 'PUT', body: '{"Name":"a\\nb [ERROR] forged\\u001b[2J\\u009b\\u2028"}' });
    await sendRaw(
      port,
      Buffer.from('PUT /v1/kv/\x9b\x85raw HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n', 'latin1'),
    );
    await expect.poll(() => agent.log()).toContain('raw');
    const lines = agent.log().split('\n');
    expect(lines.filter((line) => line.includes('forged')).length).toBeGreaterThan(0);
    expect(lines.filter((line) => /[\p{Cc}\u2028\u2029]/u.test(line.replaceAll('\t', '')))).toEqual([]);
    expect(lines.filter((line) => /^\S+ \[ERROR\] +forged|^b \[ERROR\]/.test(line))).toEqual([]);
  });

  it('a header named __proto__ is a header like any other (Node CVE-2026-21710)', async () => {
    const received = await sendRaw(
      port,
      'GET /v1/status/leader HTTP/1.1\r\nHost: x\r\n__proto__: a\r\n__proto__: b\r\nconstructor: c\r\nhasOwnProperty: d\r\nConnection: close\r\n\r\n',
    );
    expect(statusesOf(received)).toEqual([200]);
  });
});
