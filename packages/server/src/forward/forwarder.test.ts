import { type CallOptions, LictorError, type ServerPort, silentLogger, silentMetrics } from '@lictor/protocol';
import { FakeClock, seededRandom } from '@lictor/protocol/testing';
import { describe, expect, it } from 'vitest';
import { createScriptedConsensus, type ScriptedConsensus } from '../testing/consensus.ts';
import { Forwarder, type MethodKind } from './forwarder.ts';

const KINDS: Readonly<Record<string, MethodKind>> = { 'KVS.Get': 'read', 'KVS.Apply': 'write', 'Status.Leader': 'here' };
const HOLD_MS = 7000;

interface Remote {
  readonly address: string;
  readonly options: CallOptions;
}

class World {
  readonly clock = new FakeClock();
  readonly consensus: ScriptedConsensus & { leaderId: string; leaderAddress: string; lastContactMs: number };
  readonly remotes: Remote[] = [];
  readonly forwarder: Forwarder;
  locals = 0;
  answer: (attempt: number) => Promise<unknown> = () => Promise.resolve('remote');
  answerHere: () => Promise<unknown> = () => Promise.resolve('local');

  constructor() {
    this.consensus = createScriptedConsensus() as World['consensus'];
    const local = { call: () => (this.locals++, this.answerHere()) } as unknown as ServerPort;
    this.forwarder = new Forwarder(
      { datacenter: 'dc1', nodeId: 'self', holdMs: HOLD_MS, defaultWaitMs: 300_000, maxWaitMs: 600_000 },
      {
        clock: this.clock,
        random: seededRandom(1),
        logger: silentLogger,
        metrics: silentMetrics,
        consensus: this.consensus,
        local,
        remote: {
          call: (address, _method, _request, options) => {
            this.remotes.push({ address, options });
            return this.answer(this.remotes.length);
          },
        },
        datacenters: {
          call: (datacenter) => Promise.resolve(`answer of ${datacenter}`),
        },
        kindOf: (method) => KINDS[method],
      },
    );
  }

  follow(id: string, address: string): void {
    this.consensus.leaderId = id;
    this.consensus.leaderAddress = address;
  }

  get(options: CallOptions = {}): Promise<unknown> {
    return this.forwarder.call('KVS.Get', { key: 'k' }, options);
  }

  put(): Promise<unknown> {
    const entry = { Key: 'k', Value: new Uint8Array(0), Flags: 0, Session: '', ModifyIndex: 0 };
    return this.forwarder.call('KVS.Apply', { operation: 'set', entry });
  }
}

function fail(code: ConstructorParameters<typeof LictorError>[0]): () => Promise<never> {
  return () => Promise.reject(new LictorError(code, code));
}

describe('on the leader', () => {
  it('everything is answered here', async () => {
    const world = new World();
    world.consensus.lead(true);
    expect([await world.get(), await world.put()]).toEqual(['local', 'local']);
    expect(world.remotes).toEqual([]);
  });

  it('a call that meets the end of leadership goes to the next leader', async () => {
    const world = new World();
    world.consensus.lead(true);
    world.answerHere = () => {
      world.consensus.lead(false);
      world.follow('b', 'b:8300');
      return fail('no-leader')();
    };
    expect(await world.put()).toBe('remote');
  });
});

describe('on a follower', () => {
  it('writes, default and consistent reads go to the leader, with token and all', async () => {
    const world = new World();
    world.follow('b', 'b:8300');
    expect([await world.get(), await world.put(), await world.get({ query: { consistency: 'consistent' } })]).toEqual(
      Array(3).fill('remote'),
    );
    expect(world.remotes.map(({ address }) => address)).toEqual(Array(3).fill('b:8300'));
  });

  it('stale reads and what each server says of itself are answered here', async () => {
    const world = new World();
    world.follow('b', 'b:8300');
    expect(await world.get({ query: { consistency: 'stale' } })).toBe('local');
    expect(await world.forwarder.call('Status.Leader', {})).toBe('local');
  });

  it('a stale read that must not be so old goes to the leader as a default one', async () => {
    const world = new World();
    world.follow('b', 'b:8300');
    world.consensus.lastContactMs = 5000;
    expect(await world.get({ query: { consistency: 'stale', maxStaleMs: 4999, minIndex: 7 } })).toBe('remote');
    expect(world.remotes[0]?.options.query).toEqual({ minIndex: 7, maxWaitMs: 300_000 });
    expect(await world.get({ query: { consistency: 'stale', maxStaleMs: 5000 } })).toBe('local');
  });

  it('what another datacenter is asked goes there, whatever its kind', async () => {
    const world = new World();
    world.consensus.lead(true);
    const options = { datacenter: 'dc2' };
    expect([await world.get(options), await world.forwarder.call('Status.Leader', {}, options)]).toEqual(Array(2).fill('answer of dc2'));
    expect(await world.get({ datacenter: 'dc1' })).toBe('local');
  });

  it('an unknown method is refused here', async () => {
    const world = new World();
    world.follow('b', 'b:8300');
    await world.forwarder.call('No.Such' as never, {} as never);
    expect([world.locals, world.remotes.length]).toEqual([1, 0]);
  });
});

describe('without a leader (rpc_hold_timeout)', () => {
  it('a call waits for one, and goes there at once', async () => {
    const world = new World();
    const called = world.put();
    await world.clock.advance(HOLD_MS / 2);
    world.follow('c', 'c:8300');
    await world.clock.advance(100);
    expect(await called).toBe('remote');
  });

  it('it fails when there is none in time', async () => {
    const world = new World();
    const called = world.put().catch((error: unknown) => error);
    await world.clock.advance(HOLD_MS + 200);
    expect(await called).toMatchObject({ code: 'no-leader', message: 'No cluster leader' });
  });

  it('it ends with its caller', async () => {
    const world = new World();
    const caller = new AbortController();
    const called = world.get({ signal: caller.signal }).catch((error: unknown) => error);
    await world.clock.advance(10);
    caller.abort();
    expect(await called).toMatchObject({ code: 'cancelled' });
  });

  it('a server that is about to lead does not call itself', async () => {
    const world = new World();
    world.follow('self', 'self:8300');
    const called = world.put();
    await world.clock.advance(500);
    expect(world.remotes).toEqual([]);
    world.consensus.lead(true);
    await world.clock.advance(200);
    expect(await called).toBe('local');
  });
});

describe('a blocked read', () => {
  it('whose leader goes waits for the rest of its time at the next one, and for that one as any call does', async () => {
    const world = new World();
    world.follow('b', 'b:8300');
    world.answer = (attempt) =>
      new Promise((resolve, reject) => {
        if (attempt > 1) return resolve('remote');
        world.clock.setTimer(40_000, () => {
          world.follow('', '');
          reject(new LictorError('outcome-unknown', 'gone'));
        });
      });
    const called = world.get({ query: { minIndex: 7, maxWaitMs: 60_000 } });
    await world.clock.advance(40_000 + HOLD_MS - 500);
    world.follow('c', 'c:8300');
    await world.clock.advance(100);
    expect(await called).toBe('remote');
    expect(world.remotes.map(({ options }) => options.query?.minIndex)).toEqual([7, 7]);
    const rest = world.remotes[1]?.options.query?.maxWaitMs ?? 0;
    expect(rest).toBeGreaterThan(13_000);
    expect(rest).toBeLessThan(14_000);
  });

  it('finds no leader as soon as any other call does', async () => {
    const world = new World();
    const refused = expect(world.get({ query: { minIndex: 7 } })).rejects.toMatchObject({ code: 'no-leader' });
    await world.clock.advance(HOLD_MS + 100);
    await refused;
  });
});

describe('a leader that does not answer', () => {
  it.each(['no-leader', 'unavailable'] as const)('is asked again after %s: the call was not carried out', async (code) => {
    const world = new World();
    world.follow('b', 'b:8300');
    world.answer = (attempt) => (attempt < 3 ? fail(code)() : Promise.resolve('remote'));
    const called = world.put();
    await world.clock.advance(1000);
    expect(await called).toBe('remote');
    expect(world.remotes).toHaveLength(3);
  });

  it('gets a write never twice when the first may have been carried out', async () => {
    const world = new World();
    world.follow('b', 'b:8300');
    world.answer = fail('outcome-unknown');
    await expect(world.put()).rejects.toMatchObject({ code: 'outcome-unknown' });
    expect(world.remotes).toHaveLength(1);
  });

  it('gets a read again', async () => {
    const world = new World();
    world.follow('b', 'b:8300');
    world.answer = (attempt) => (attempt < 2 ? fail('outcome-unknown')() : Promise.resolve('remote'));
    const called = world.get();
    await world.clock.advance(1000);
    expect(await called).toBe('remote');
  });

  it('has the last word in what it refuses', async () => {
    const world = new World();
    world.follow('b', 'b:8300');
    world.answer = fail('permission-denied');
    await expect(world.put()).rejects.toMatchObject({ code: 'permission-denied' });
    expect(world.remotes).toHaveLength(1);
  });
});
