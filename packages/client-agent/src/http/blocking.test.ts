import type { HealthCheck, QueryMeta } from '@lictor/protocol';
import { afterEach, describe, expect, it } from 'vitest';
import { startTestApi, type TestApi } from '../testing/http.ts';
import { readReply } from '../testing/server-port.ts';

let api: TestApi;

afterEach(async () => {
  await api.close();
});

function check(id: string): HealthCheck {
  return {
    Node: 'n',
    CheckID: id,
    Name: id,
    Status: 'passing',
    Notes: '',
    Output: '',
    ServiceID: '',
    ServiceName: '',
    ServiceTags: [],
    Type: '',
    Interval: '',
    Timeout: '',
    ExposedPort: 0,
    Definition: {},
    PeerName: '',
    CreateIndex: 1,
    ModifyIndex: 1,
  };
}

/** A read that all who wait for it get at once, as the servers answer identical blocked queries. */
function sharedRead<Value>(): {
  wait(signal?: AbortSignal): Promise<{ value: Value; meta: QueryMeta }>;
  release(value: Value): void;
  readonly waiting: number;
} {
  let release: (value: Value) => void = () => undefined;
  let waiting = 0;
  const released = new Promise<Value>((resolve) => (release = resolve));
  return {
    wait: async (signal) => {
      waiting++;
      const aborted = new Promise<never>((_, reject) =>
        signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true }),
      );
      return readReply(await Promise.race([released, aborted]), { index: 9 });
    },
    release: (value) => release(value),
    get waiting() {
      return waiting;
    },
  };
}

describe('blocking queries', () => {
  it('serialise one value once for all who waited for it', async () => {
    api = await startTestApi();
    const shared = sharedRead<readonly HealthCheck[]>();
    api.server.handlers = { 'Health.ServiceChecks': (_request, { signal }) => shared.wait(signal) };
    const answers = Array.from({ length: 50 }, () => api.request('/v1/health/checks/web?index=8'));
    await expect.poll(() => shared.waiting).toBe(50);
    let serialised = 0;
    const value = new Proxy([check('a')], {
      get: (target, property, receiver) => {
        if (property === '0') serialised++;
        return Reflect.get(target, property, receiver) as unknown;
      },
    });
    shared.release(value);
    const bodies = await Promise.all(answers.map(async (answer) => (await answer).text()));
    expect(new Set(bodies).size).toBe(1);
    expect(serialised).toBe(1);
  });

  it('end when their client goes', async () => {
    api = await startTestApi();
    const shared = sharedRead<readonly HealthCheck[]>();
    const signals: AbortSignal[] = [];
    api.server.handlers = {
      'Health.ServiceChecks': (_request, { signal }) => {
        if (signal !== undefined) signals.push(signal);
        return shared.wait(signal);
      },
    };
    const client = new AbortController();
    const answer = api.request('/v1/health/checks/web?index=8', { signal: client.signal }).catch(() => 'gone');
    await expect.poll(() => signals.length).toBe(1);
    expect(api.api.waiting).toBe(1);
    client.abort();
    expect(await answer).toBe('gone');
    await expect.poll(() => signals[0]?.aborted).toBe(true);
    expect(api.api.waiting).toBe(0);
  });

  it('end at shutdown, and the server closes', async () => {
    api = await startTestApi();
    const shared = sharedRead<readonly HealthCheck[]>();
    api.server.handlers = { 'Health.ServiceChecks': (_request, { signal }) => shared.wait(signal) };
    const answer = api.request('/v1/health/checks/web?index=8').then(
      ({ status }) => status,
      () => 0,
    );
    await expect.poll(() => shared.waiting).toBe(1);
    await api.api.close(60_000);
    expect([0, 500]).toContain(await answer);
  });

  it('take no signal and no timer when they do not block', async () => {
    api = await startTestApi();
    api.server.handlers = { 'Health.ServiceChecks': () => readReply([]) };
    await api.request('/v1/health/checks/web');
    expect(api.server.calls[0]?.options.signal).toBeUndefined();
    expect(api.api.waiting).toBe(0);
  });
});
