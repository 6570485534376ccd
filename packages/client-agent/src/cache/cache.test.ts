import { LictorError, NO_TOKEN, Secret, silentMetrics } from '@lictor/protocol';
import { FakeClock, seededRandom } from '@lictor/protocol/testing';
import { describe, expect, it } from 'vitest';
import { type FakeHandlers, FakeServerPort, readReply } from '../testing/server-port.ts';
import { Cache, IDLE_TTL_MS } from './cache.ts';

/** Blocks for ever, as a query without news does. */
const silence = <T>(signal: AbortSignal | undefined): Promise<T> =>
  new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(new LictorError('cancelled', 'gone')), { once: true }));

function setUp(handlers: FakeHandlers, maxEntries?: number) {
  const clock = new FakeClock();
  const server = new FakeServerPort(handlers);
  const cache = new Cache({ server, clock, metrics: silentMetrics, ...(maxEntries !== undefined && { maxEntries }) });
  return { clock, server, cache };
}

/** One value by index, and a way to change it. */
function counter() {
  let index = 1;
  const waiting = new Set<() => void>();
  const handlers: FakeHandlers = {
    'Catalog.ListServices': async (_request, { query, signal }) => {
      while ((query?.minIndex ?? 0) >= index)
        await new Promise<void>((resolve, reject) => {
          waiting.add(resolve);
          signal?.addEventListener('abort', () => reject(new LictorError('cancelled', 'gone')), { once: true });
        });
      return readReply({ [`v${index}`]: [] }, { index });
    },
  };
  const change = (): void => {
    index += 1;
    for (const wake of waiting) wake();
    waiting.clear();
  };
  return { handlers, change };
}

const options = { token: NO_TOKEN };

describe('the agent cache (seed002, design.md section 4)', () => {
  it('S078-S079: holds nothing until asked, misses once, then hits', async () => {
    const { cache, server } = setUp(counter().handlers);
    expect(cache.entryCount).toBe(0);
    expect((await cache.get('Catalog.ListServices', {}, options)).hit).toBe(false);
    expect((await cache.get('Catalog.ListServices', {}, options)).hit).toBe(true);
    expect(cache.entryCount).toBe(1);
    // The first fetch and the blocking query behind it.
    expect(server.calls).toHaveLength(2);
    cache.stop();
  });

  it('fetches once for callers that come together', async () => {
    const { cache, server } = setUp(counter().handlers);
    const results = await Promise.all(Array.from({ length: 50 }, () => cache.get('Catalog.ListServices', {}, options)));
    expect(new Set(results.map(({ value }) => value)).size).toBe(1);
    expect(server.calls.filter(({ options: call }) => call.query?.minIndex === undefined)).toHaveLength(1);
    cache.stop();
  });

  it('S075: a change arrives in the background, and wakes those who block on the index', async () => {
    const { handlers, change } = counter();
    const { cache, clock } = setUp(handlers);
    const first = await cache.get('Catalog.ListServices', {}, options);
    const blocked = cache.get('Catalog.ListServices', {}, { ...options, minIndex: first.meta.index });
    change();
    const next = await blocked;
    expect(next.value).toEqual({ v2: [] });
    expect(next.hit).toBe(false);
    await clock.advance(0);
    expect((await cache.get('Catalog.ListServices', {}, options)).value).toEqual({ v2: [] });
    cache.stop();
  });

  it('answers a wait without news with what it has', async () => {
    const { cache, clock } = setUp(counter().handlers);
    const { meta } = await cache.get('Catalog.ListServices', {}, options);
    const blocked = cache.get('Catalog.ListServices', {}, { ...options, minIndex: meta.index, maxWaitMs: 10_000 });
    await clock.advance(10_000);
    expect((await blocked).value).toEqual({ v1: [] });
    cache.stop();
  });

  it('ends a wait when its caller goes', async () => {
    const { cache } = setUp(counter().handlers);
    const { meta } = await cache.get('Catalog.ListServices', {}, options);
    const caller = new AbortController();
    const blocked = cache.get('Catalog.ListServices', {}, { ...options, minIndex: meta.index, signal: caller.signal });
    caller.abort();
    await expect(blocked).rejects.toMatchObject({ code: 'cancelled' });
    cache.stop();
  });

  it('S077: serves what it has while the servers are away, and its age grows', async () => {
    let isAway = false;
    const { cache, clock } = setUp({
      'ConnectCA.Roots': (_request, { query, signal }) => {
        if (isAway) throw new LictorError('no-leader', 'No cluster leader');
        return query?.minIndex === undefined
          ? readReply({ ActiveRootID: 'r', TrustDomain: 't', Roots: [] })
          : (silence(signal).catch(() => {
              throw new LictorError('unavailable', 'away');
            }) as never);
      },
    });
    await cache.get('ConnectCA.Roots', {}, options);
    isAway = true;
    // The running query ends with the servers.
    cache.stop();
    const second = setUp({
      'ConnectCA.Roots': (_request, { query }) => {
        if (query?.minIndex !== undefined) throw new LictorError('no-leader', 'No cluster leader');
        return readReply({ ActiveRootID: 'r', TrustDomain: 't', Roots: [] });
      },
    });
    await second.cache.get('ConnectCA.Roots', {}, options);
    await second.clock.advance(3_600_000);
    const result = await second.cache.get('ConnectCA.Roots', {}, options);
    expect(result.value.ActiveRootID).toBe('r');
    expect(result.ageMs).toBeGreaterThan(3_500_000);
    expect(second.server.calls.length).toBeLessThan(100);
    second.cache.stop();
    expect(clock.pendingTimers).toBe(0);
  });

  it('S088: drops entries 72 hours after their last use, and their query with them', async () => {
    const { cache, clock, server } = setUp(counter().handlers);
    await cache.get('Catalog.ListServices', {}, options);
    await clock.advance(IDLE_TTL_MS - 120_000);
    expect(cache.entryCount).toBe(1);
    await clock.advance(240_000);
    expect(cache.entryCount).toBe(0);
    expect(server.calls.at(-1)?.options.signal?.aborted).toBe(true);
    expect(clock.pendingTimers).toBe(0);
  });

  it('gives the failure of a first fetch to its callers and remembers nothing', async () => {
    let fails = true;
    const { cache } = setUp({
      'Catalog.ListNodes': (_request, { query, signal }) => {
        if (fails) throw new LictorError('no-leader', 'No cluster leader');
        return query?.minIndex === undefined ? readReply([]) : silence(signal);
      },
    });
    await expect(cache.get('Catalog.ListNodes', {}, options)).rejects.toMatchObject({ message: 'No cluster leader' });
    fails = false;
    expect((await cache.get('Catalog.ListNodes', {}, options)).value).toEqual([]);
    cache.stop();
  });

  it('Cache-Control: refetches simple types by age, and serves stale on error only when allowed', async () => {
    let answers = 0;
    let fails = false;
    const { cache, clock } = setUp({
      'Catalog.ListDatacenters': () => {
        if (fails) throw new LictorError('unavailable', 'away');
        answers += 1;
        return readReply([`dc${answers}`]);
      },
    });
    const get = (extra = {}) => cache.get('Catalog.ListDatacenters', {}, { ...options, ...extra });
    await get();
    await clock.advance(5_000);
    expect(await get({ maxAgeMs: 10_000 })).toMatchObject({ value: ['dc1'], hit: true, ageMs: 5_000 });
    expect(await get({ maxAgeMs: 1_000 })).toMatchObject({ value: ['dc2'], hit: false });
    expect(await get({ mustRevalidate: true })).toMatchObject({ value: ['dc3'] });
    fails = true;
    await clock.advance(5_000);
    expect(await get({ maxAgeMs: 1_000, staleIfErrorMs: 60_000 })).toMatchObject({ value: ['dc3'] });
    await expect(get({ maxAgeMs: 1_000 })).rejects.toMatchObject({ message: 'away' });
    cache.stop();
  });

  it('refuses leaves while Connect is off', async () => {
    const { cache } = setUp({});
    await expect(cache.get('ConnectCA.Leaf', { service: 'web' }, options)).rejects.toThrow('Connect must be enabled');
  });
});

describe('CVE-2020-13250: the cache has a bound', () => {
  it('stays under its limit however many keys are asked for', async () => {
    const { cache } = setUp(
      { 'Health.NodeChecks': (_request, { query, signal }) => (query?.minIndex === undefined ? readReply([]) : silence(signal)) },
      100,
    );
    for (let node = 0; node < 3_000; node++) {
      await cache.get('Health.NodeChecks', { node: `n${node}` }, options);
      expect(cache.entryCount).toBeLessThanOrEqual(100);
    }
    // The newest are those that stay.
    expect((await cache.get('Health.NodeChecks', { node: 'n2999' }, options)).hit).toBe(true);
    cache.stop();
  });
});

describe('S082-S083: tokens and datacenters never share an answer (security.md section 6)', () => {
  it('gives every token its own view, over 100,000 random interleavings', async () => {
    const tokens = Array.from({ length: 8 }, (_, number) => new Secret(number % 2 === 0 ? `t${number}` : `t${number}|1|`));
    const { cache } = setUp({
      'Catalog.NodeServices': (_request, { query, signal }) => (query?.minIndex === undefined ? readReply(null) : silence(signal)),
      'Catalog.ListServices': (_request, { token, datacenter, query, signal }) =>
        query?.minIndex === undefined ? readReply({ [`${datacenter ?? ''}/${token?.reveal() ?? ''}`]: [] }) : silence(signal),
    });
    const random = seededRandom(7);
    const pick = <T>(items: readonly T[]): T => items[Math.floor(random.float() * items.length)] as T;
    const pending: Promise<void>[] = [];
    for (let round = 0; round < 100_000; round++) {
      const token = pick(tokens);
      const datacenter = pick(['dc1', 'dc2', 'd']);
      const key = `${datacenter}/${token.reveal()}`;
      pending.push(
        cache.get('Catalog.ListServices', {}, { token, datacenter }).then(({ value }) => {
          if (Object.keys(value)[0] !== key) throw new Error(`token ${key} was shown ${Object.keys(value)[0] ?? ''}`);
        }),
      );
      if (pending.length >= 500) await Promise.all(pending.splice(0));
    }
    await Promise.all(pending);
    expect(cache.entryCount).toBe(24);
    cache.stop();
  });

  it('refreshes at once when there are servers again, and knows soon that there is contact', async () => {
    let isAway = false;
    const waits: (number | undefined)[] = [];
    const { cache, clock } = setUp({
      'Catalog.ListServices': (_request, { query, signal }) => {
        if (query?.minIndex === undefined) return readReply({ web: [] });
        if (isAway) throw new LictorError('no-leader', 'No known Consul servers');
        waits.push(query.maxWaitMs);
        const waitMs = query.maxWaitMs ?? 0;
        return new Promise((resolve, reject) => {
          clock.setTimer(waitMs, () => (isAway ? reject(new LictorError('unavailable', 'away')) : resolve(readReply({ web: [] }))));
          signal?.addEventListener('abort', () => reject(new LictorError('cancelled', 'gone')), { once: true });
        });
      },
    });
    const ageMs = async (): Promise<number> => (await cache.get('Catalog.ListServices', {}, options)).ageMs;
    await cache.get('Catalog.ListServices', {}, options);
    isAway = true;
    await clock.advance(3_600_000);
    expect(await ageMs()).toBeGreaterThan(2_900_000);
    isAway = false;
    cache.serversFound();
    await clock.advance(500);
    expect(await ageMs()).toBeGreaterThan(2_900_000);
    await clock.advance(600);
    expect(await ageMs()).toBe(0);
    expect(waits).toEqual([600_000, 1000, 600_000]);
    cache.stop();
  });

  it('takes equal requests for the same whatever the order of their keys, and different ones for different', async () => {
    const { cache } = setUp({
      'Health.ServiceNodes': (_request, { query, signal }) => (query?.minIndex === undefined ? readReply([]) : silence(signal)),
    });
    await cache.get('Health.ServiceNodes', { service: 'a', connect: true }, options);
    expect((await cache.get('Health.ServiceNodes', { connect: true, service: 'a' }, options)).hit).toBe(true);
    expect((await cache.get('Health.ServiceNodes', { service: 'a' }, options)).hit).toBe(false);
    cache.stop();
  });
});
