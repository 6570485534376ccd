import { MemoryLogger } from '@lictor/protocol/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startTestApi, type TestApi } from '../testing/http.ts';
import { sendRaw } from '../testing/raw-http.ts';

const CANARY = 'canary-5d1e';
let api: TestApi;
let logger: MemoryLogger;
beforeEach(async () => {
  logger = new MemoryLogger('agent.http');
  api = await startTestApi({ logger });
});
afterEach(() => api.close());

async function ask(target: string, method = 'GET'): Promise<void> {
  await sendRaw(api.port, `${method} ${target} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
}

const urls = (): readonly unknown[] =>
  logger.lines.filter(({ message }) => message === 'Request finished').map(({ fields }) => fields['url']);

describe('the log of requests (consul-facts 2.0: tokens are never logged)', () => {
  it.each([
    [`/v1/kv/a?token=${CANARY}&raw`, '/v1/kv/a?token=<hidden>&raw'],
    [`/v1/kv/a?raw&token=${CANARY}&token=${CANARY}`, '/v1/kv/a?raw&token=<hidden>&token=<hidden>'],
    [`/v1/kv/a?%74ok%65n=${CANARY}`, '/v1/kv/a?token=<hidden>'],
    [`http://elsewhere/v1/kv/a?token=${CANARY}`, '/v1/kv/a?token=<hidden>'],
  ])('shows %s without its token', async (target, shown) => {
    await ask(target);
    await expect.poll(urls).toEqual([shown]);
    expect(JSON.stringify(logger.lines)).not.toContain(CANARY);
  });

  it.each([
    ['PUT', `/v1/kv/a?cas=1&acquire=x&token=${CANARY}`],
    ['DELETE', `/v1/kv/a?cas=1&recurse&token=${CANARY}`],
    ['PUT', `/v1/kv/?token=${CANARY}`],
    ['GET', `/v1/kv/a?index=x&token=${CANARY}`],
    ['POST', `/v1/kv/a?token=${CANARY}`],
  ])('shows no token in the error of %s %s', async (method, target) => {
    await ask(target, method);
    await expect.poll(urls).toHaveLength(1);
    expect(JSON.stringify(logger.lines)).not.toContain(CANARY);
  });

  it('warns of a token in the query, and not of one in a header', async () => {
    await api.request('/v1/kv/a', { headers: { 'X-Consul-Token': CANARY } });
    await ask(`/v1/kv/a?token=${CANARY}`);
    await expect.poll(urls).toHaveLength(2);
    expect(logger.lines.filter(({ level }) => level === 'warn')).toEqual([
      expect.objectContaining({
        message: 'This request used the token query parameter which is deprecated and will be removed in a future Consul version',
        fields: { logUrl: '/v1/kv/a?token=<hidden>' },
      }),
    ]);
  });

  it('tells failures as errors and reads below writes', async () => {
    await ask('/v1/kv/a?index=x');
    await ask('/v1/kv/a', 'PUT');
    await expect.poll(urls).toHaveLength(2);
    expect(logger.lines.map(({ level, message }) => `${level}: ${message}`)).toEqual([
      'error: Request error',
      'trace: Request finished',
      'debug: Request finished',
    ]);
  });
});
