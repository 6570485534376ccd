import { LictorError, silentLogger, silentMetrics } from '@lictor/protocol';
import { FakeClock, seededRandom } from '@lictor/protocol/testing';
import { describe, expect, it } from 'vitest';
import { type KnownServer, ServerList } from './server-list.ts';
import { ServerRouter } from './server-router.ts';

const HOLD_MS = 7000;

class World {
  readonly clock = new FakeClock();
  readonly asked: string[] = [];
  readonly waits: (number | undefined)[] = [];
  known: KnownServer[];
  readonly list: ServerList;
  readonly router: ServerRouter;
  #listener = (): void => undefined;
  answer: (address: string, attempt: number, signal?: AbortSignal) => Promise<unknown> = (address) => Promise.resolve(address);
  clientTimeoutMs = 60_000;

  constructor(names: readonly string[], seed = 1, clusterSize = 5, limit = { rate: -1, burst: 0 }) {
    this.known = names.map((name) => ({ name, address: `${name}:8300` }));
    const ports = { clock: this.clock, random: seededRandom(seed), logger: silentLogger, metrics: silentMetrics };
    const source = {
      servers: () => this.known,
      onChange: (listener: () => void) => {
        this.#listener = listener;
        return () => undefined;
      },
      clusterSize: () => clusterSize,
    };
    this.list = new ServerList({ ...ports, source });
    this.list.start();
    const remote = {
      call: (
        address: string,
        _method: string,
        _request: unknown,
        { query, signal }: { query?: { maxWaitMs?: number }; signal?: AbortSignal },
      ) => {
        this.asked.push(address);
        this.waits.push(query?.maxWaitMs);
        return this.answer(address, this.asked.length, signal);
      },
    };
    this.router = new ServerRouter(
      { holdMs: HOLD_MS, defaultWaitMs: 300_000, maxWaitMs: 600_000, limit, clientTimeoutMs: () => this.clientTimeoutMs },
      { ...ports, remote, servers: this.list },
    );
  }

  find(...names: string[]): void {
    this.known = names.map((name) => ({ name, address: `${name}:8300` }));
    this.#listener();
  }

  get(query = {}): Promise<unknown> {
    return this.router.call('KVS.Get', { key: 'k' }, { query });
  }

  put(): Promise<unknown> {
    const entry = { Key: 'k', Value: new Uint8Array(0), Flags: 0, Session: '', ModifyIndex: 0 };
    return this.router.call('KVS.Apply', { operation: 'set', entry });
  }
}

function fail(code: ConstructorParameters<typeof LictorError>[0]): Promise<never> {
  return Promise.reject(new LictorError(code, code));
}

describe('a client agent’s calls', () => {
  it('go to one server, as long as it answers', async () => {
    const world = new World(['a', 'b', 'c']);
    for (let round = 0; round < 5; round++) await world.get();
    expect(new Set(world.asked).size).toBe(1);
  });

  it.each(['unavailable', 'no-leader'] as const)('go to the next server at once after %s, and stay there', async (code) => {
    const world = new World(['a', 'b', 'c']);
    const broken = world.list.first?.address;
    world.answer = (address) => (address === broken ? fail(code) : Promise.resolve(address));
    const healthy = await world.put();
    expect(healthy).not.toBe(broken);
    expect([await world.put(), await world.get()]).toEqual([healthy, healthy]);
    expect(world.asked.filter((address) => address === broken)).toHaveLength(1);
  });

  it('are not repeated when a write may have been carried out; a read is', async () => {
    const world = new World(['a', 'b']);
    world.answer = (_address, attempt) => (attempt === 1 ? fail('outcome-unknown') : Promise.resolve('answer'));
    await expect(world.put()).rejects.toMatchObject({ code: 'outcome-unknown' });
    world.asked.length = 0;
    expect(await world.get()).toBe('answer');
    expect(new Set(world.asked).size).toBe(2);
  });

  it('end when a server does not answer within limits.rpc_client_timeout, and are not repeated (consul-facts K061)', async () => {
    const world = new World(['a', 'b']);
    const cancelled: string[] = [];
    world.answer = (address, _attempt, signal) =>
      new Promise((_resolve, reject) => {
        signal?.addEventListener('abort', () => {
          cancelled.push(address);
          reject(new LictorError('cancelled', 'request cancelled'));
        });
      });
    const silent = world.list.first?.address;
    const put = expect(world.put()).rejects.toMatchObject({
      code: 'deadline-exceeded',
      message: 'rpc error making call: i/o deadline reached',
      httpStatus: 500,
    });
    await world.clock.advance(59_999);
    expect(cancelled).toEqual([]);
    await world.clock.advance(1);
    await put;
    expect([cancelled, world.asked, world.list.first?.address === silent]).toEqual([[silent], [silent], false]);

    world.clientTimeoutMs = 1_000;
    const blocking = expect(world.get({ minIndex: 5, maxWaitMs: 32_000 })).rejects.toMatchObject({ code: 'deadline-exceeded' });
    await world.clock.advance(32_000 + 2_000 + 999);
    expect(cancelled).toHaveLength(1);
    await world.clock.advance(1);
    await blocking;
    expect(world.clock.pendingTimers).toBe(1);
  });

  it('are cancelled by their caller as before, and wait for ever with a timeout of 0', async () => {
    const world = new World(['a']);
    world.clientTimeoutMs = 0;
    world.answer = (_address, _attempt, signal) =>
      new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(new LictorError('cancelled', 'request cancelled'))));
    for (const timeoutMs of [0, 60_000]) {
      world.clientTimeoutMs = timeoutMs;
      const caller = new AbortController();
      const called = world.router.call('KVS.Get', { key: 'k' }, { signal: caller.signal });
      const ended = expect(called).rejects.toMatchObject({ code: 'cancelled' });
      if (timeoutMs === 0) await world.clock.advance(3_600_000);
      caller.abort();
      await ended;
    }
  });

  it('end with what a server refuses', async () => {
    const world = new World(['a', 'b']);
    world.answer = () => fail('permission-denied');
    await expect(world.get()).rejects.toMatchObject({ code: 'permission-denied' });
    expect(world.asked).toHaveLength(1);
  });

  it('wait for a server during rpc_hold_timeout (consul-facts T015)', async () => {
    const world = new World([]);
    const called = world.put();
    await world.clock.advance(HOLD_MS / 2);
    world.find('late');
    expect(await called).toBe('late:8300');
    const lost = new World([]);
    const refused = expect(lost.put()).rejects.toMatchObject({ message: 'No known Consul servers', httpStatus: 500 });
    await lost.clock.advance(HOLD_MS + 500);
    await refused;
  });

  it('try all servers in turn while none answers, with pauses between the rounds', async () => {
    const world = new World(['a', 'b', 'c']);
    world.answer = () => fail('unavailable');
    const refused = expect(world.get()).rejects.toMatchObject({ httpStatus: 500, message: 'unavailable' });
    await world.clock.advance(HOLD_MS + 500);
    await refused;
    expect(new Set(world.asked).size).toBe(3);
    expect(world.asked.length).toBeLessThan(3 * (HOLD_MS / 125 + 2));
  });

  it('that block go on at another server for the rest of their time', async () => {
    const world = new World(['a', 'b']);
    world.answer = (address, attempt) =>
      new Promise((resolve, reject) => {
        if (attempt === 2) return resolve(address);
        world.clock.setTimer(40_000, () => reject(new LictorError('outcome-unknown', 'gone')));
      });
    const called = world.get({ minIndex: 7, maxWaitMs: 60_000 });
    await world.clock.advance(40_500);
    await called;
    expect(world.waits).toEqual([60_000, 20_000]);
  });

  it('are as many as limits.rpc_rate allows, after the first ones', async () => {
    const world = new World(['a'], 1, 5, { rate: 2, burst: 3 });
    const counts = async (): Promise<number> =>
      (await Promise.allSettled(Array.from({ length: 10 }, () => world.get()))).filter(({ status }) => status === 'fulfilled').length;
    expect(await counts()).toBe(3);
    await expect(world.get()).rejects.toMatchObject({ httpStatus: 429, message: 'RPC rate limit exceeded' });
    await world.clock.advance(1000);
    expect(await counts()).toBe(2);
    await world.clock.advance(60_000);
    expect(await counts()).toBe(3);
  });

  it('end with their caller', async () => {
    const world = new World([]);
    const aborter = new AbortController();
    const cancelled = expect(world.router.call('Status.Leader', {}, { signal: aborter.signal })).rejects.toMatchObject({
      code: 'cancelled',
    });
    aborter.abort();
    await cancelled;
  });
});

describe('the list of servers', () => {
  it('differs between agents', () => {
    const firsts = Array.from({ length: 60 }, (_, seed) => new World(['a', 'b', 'c'], seed + 1).list.first?.name);
    for (const name of ['a', 'b', 'c']) expect(firsts.filter((first) => first === name).length).toBeGreaterThan(10);
  });

  it('changes after two to three minutes, later in large clusters', async () => {
    const movedAtMs = async (clusterSize: number): Promise<number> => {
      const world = new World(['a', 'b', 'c', 'd', 'e'], 3, clusterSize);
      const before = world.list
        .all()
        .map(({ name }) => name)
        .join();
      let ms = 0;
      while (
        world.list
          .all()
          .map(({ name }) => name)
          .join() === before
      ) {
        await world.clock.advance(1000);
        ms += 1000;
      }
      return ms;
    };
    const small = await movedAtMs(5);
    expect(small).toBeGreaterThanOrEqual(120_000);
    expect(small).toBeLessThanOrEqual(181_000);
    expect(await movedAtMs(320_000)).toBeGreaterThanOrEqual(1_000_000);
  });

  it('follows servers that come and go, and keeps its order', () => {
    const world = new World(['a', 'b', 'c']);
    const before = world.list.all().map(({ name }) => name);
    world.find('a', 'b', 'c', 'd');
    expect(
      world.list
        .all()
        .map(({ name }) => name)
        .filter((name) => name !== 'd'),
    ).toEqual(before);
    world.find('d');
    expect(world.list.all().map(({ name }) => name)).toEqual(['d']);
  });
});
