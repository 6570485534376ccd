import { Secret, silentLogger } from '@lictor/protocol';
import { FakeClock, MemoryLogger, seededRandom } from '@lictor/protocol/testing';
import { normaliseService } from '@lictor/mesh';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { serviceOf } from '../local/testing/harness.ts';
import { FakeServerPort, readReply } from '../testing/server-port.ts';
import type { AgentPool, PoolEvent } from '../contracts/index.ts';
import { decodeEvent, encodeEvent } from './event-codec.ts';
import { AgentUserEvents, fireInPool } from './events.ts';

function setUp() {
  const clock = new FakeClock();
  const server = new FakeServerPort({ 'Event.Fire': () => readReply(null) });
  const services = [normaliseService(serviceOf({ name: 'web', tags: ['v1'] })).service];
  const events = new AgentUserEvents({
    pool: undefined,
    server,
    datacenter: 'dc1',
    logger: silentLogger,
    clock,
    random: seededRandom(1),
    nodeName: () => 'node-1',
    services: () => services,
  });
  const fire = (fields = {}) => events.fire({ Name: 'deploy', Payload: null, NodeFilter: '', ServiceFilter: '', TagFilter: '', ...fields });
  return { clock, events, fire, server };
}

describe('user events (consul-facts T029, observed: event)', () => {
  it('are kept in order, the last 256 of them, with a Lamport time from 2', async () => {
    const { events, fire } = setUp();
    for (let number = 0; number < 300; number++) await fire({ Name: `e${number}` });
    const kept = events.list();
    expect(kept).toHaveLength(256);
    expect(kept[0]).toMatchObject({ Name: 'e44', Version: 1, LTime: 46 });
    expect(kept.at(-1)?.Name).toBe('e299');
    expect(events.list('e299')).toHaveLength(1);
  });

  it('index by both halves of the id over each other, as clients compute it', async () => {
    const { events, fire } = setUp();
    expect(events.index()).toBe(0n);
    const { ID: id } = await fire();
    const hex = id.replaceAll('-', '');
    expect(events.index()).toBe(BigInt(`0x${hex.slice(0, 16)}`) ^ BigInt(`0x${hex.slice(16)}`));
    expect(events.index('other')).toBe(0n);
  });

  it.each([
    [{ NodeFilter: 'node-[0-9]' }, 1],
    [{ NodeFilter: '^other$' }, 0],
    [{ ServiceFilter: 'we' }, 1],
    [{ ServiceFilter: 'db' }, 0],
    [{ ServiceFilter: 'web', TagFilter: 'v1' }, 1],
    [{ ServiceFilter: 'web', TagFilter: 'v2' }, 0],
  ])('reach this node by filter %j: %d', async (filters, count) => {
    const { events, fire } = setUp();
    await fire(filters);
    expect(events.list()).toHaveLength(count);
  });

  it('refuse broken filters, lone tag filters and payloads that no gossip message carries', async () => {
    const { fire } = setUp();
    await expect(fire({ NodeFilter: '[' })).rejects.toThrow('Invalid node filter: error parsing regexp: missing closing ]: `[`');
    await expect(fire({ TagFilter: 'x' })).rejects.toThrow('Cannot provide tag filter without service filter');
    await expect(fire({ Payload: Buffer.alloc(513) })).rejects.toThrow('user event exceeds configured limit of 512 bytes');
  });

  it('wait for news under a name, and for no longer than asked', async () => {
    const { clock, events, fire } = setUp();
    let woken = 0;
    const waiting = events.waitForChange(0n, 10_000, 'deploy').then(() => (woken += 1));
    await fire({ Name: 'other' });
    await clock.advance(0);
    expect(woken).toBe(0);
    await fire();
    await waiting;
    const index = events.index('deploy');
    const quiet = events.waitForChange(index, 10_000, 'deploy').then(() => (woken += 1));
    await clock.advance(10_000);
    await quiet;
    expect(woken).toBe(2);
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('user events of other members', () => {
  class TestPool {
    #time = 0;
    readonly listeners: ((event: PoolEvent) => void)[] = [];
    readonly pool: AgentPool = {
      members: () => [],
      onChange: () => () => undefined,
      join: () => Promise.resolve({ joined: 0, failures: [] }),
      forceLeave: () => false,
      coordinate: () => ({ Vec: [], Error: 0, Adjustment: 0, Height: 0 }),
      stats: () => ({}),
      sendUserEvent: (name, payload) => this.deliver(name, payload),
      onUserEvent: (listener) => {
        this.listeners.push(listener);
        return () => undefined;
      },
    };

    deliver(name: string, payload: Uint8Array): void {
      this.#time += 7;
      for (const listener of this.listeners) listener({ time: this.#time, name, payload });
    }
  }
  const { pool, deliver } = ((test = new TestPool()) => ({ pool: test.pool, deliver: test.deliver.bind(test) }))();
  const logger = new MemoryLogger();
  const clock = new FakeClock();
  const node = (nodeName: string, seed: number): AgentUserEvents =>
    new AgentUserEvents({
      pool,
      server: new FakeServerPort(),
      datacenter: 'dc1',
      logger,
      clock,
      random: seededRandom(seed),
      nodeName: () => nodeName,
      services: () => [],
    });
  const [one, other] = [node('one', 1), node('other', 2)];

  it('reach whom they concern, with the time and the payload', async () => {
    const fired = await one.fire({ Name: 'deploy', Payload: Buffer.from([0, 255]), NodeFilter: 'other', ServiceFilter: '', TagFilter: '' });
    expect(one.list()).toEqual([]);
    expect(other.list()).toEqual([{ ...fired, Payload: Uint8Array.from([0, 255]), LTime: 7 }]);
  });

  it.each([
    '',
    '[]',
    '{"a":1}\n',
    '[1,"not a uuid","x",0,"","",""]\n',
    '[1,"00000000-0000-0000-0000-000000000000","x",5,"","",""]\n',
    '[1,"00000000-0000-0000-0000-000000000000","x",0,"","",""]',
    '[1,"00000000-0000-0000-0000-000000000000","x",0,"","",""]\npayload',
    '[1,"00000000-0000-0000-0000-000000000000","x",0,"",5,""]\n',
  ])('are dropped when they are none: %s', (text) => {
    const before = other.list().length;
    deliver('user', Buffer.from(text));
    expect(other.list()).toHaveLength(before);
  });

  it('are dropped with a broken filter, and of a version that is not known', () => {
    const event = {
      ID: '00000000-0000-0000-0000-000000000000',
      Name: 'x',
      Payload: null,
      NodeFilter: '',
      ServiceFilter: '',
      TagFilter: '',
      Version: 1,
    };
    deliver('user', encodeEvent({ ...event, NodeFilter: '[' }));
    deliver('user', encodeEvent({ ...event, Version: 2 }));
    expect(other.list('x')).toEqual([]);
    expect(logger.lines.map(({ message }) => message)).toContain('unknown user event version');
  });

  it('that come twice, because a call was repeated, count once', async () => {
    const event = {
      ID: '00000000-0000-0000-0000-000000000009',
      Name: 'twice',
      Payload: null,
      NodeFilter: '',
      ServiceFilter: '',
      TagFilter: '',
      Version: 1,
    };
    for (let time = 0; time < 2; time++) fireInPool(pool, event);
    expect(other.list('twice')).toHaveLength(1);
  });

  it('are the same after they were carried, payload and all, which takes no more room there', () => {
    const text = fc.string();
    const event = fc.record({
      ID: fc.uuid(),
      Name: fc.string({ minLength: 1 }),
      Payload: fc.option(fc.uint8Array()),
      NodeFilter: text,
      ServiceFilter: text,
      TagFilter: text,
      Version: fc.nat(),
    });
    fc.assert(
      fc.property(event, (sent) => {
        expect(decodeEvent(encodeEvent(sent))).toEqual(sent);
        const bare = encodeEvent({ ...sent, Payload: null }).length;
        expect(encodeEvent(sent)).toHaveLength(bare + (sent.Payload?.length ?? 0));
      }),
    );
  });
});

describe('user events for another datacenter', () => {
  it('go to a server of it, with the caller’s token, and not to this one’s agents', async () => {
    const { events, server } = setUp();
    const request = { Name: 'deploy', Payload: Buffer.from('v2'), NodeFilter: '', ServiceFilter: 'web', TagFilter: '' };
    const token = new Secret('t');
    const { ID } = await events.fire(request, { datacenter: 'dc2', token });
    expect(server.calls).toEqual([
      {
        method: 'Event.Fire',
        request: { ...request, ID, Version: 1 },
        options: { token, datacenter: 'dc2', query: { consistency: 'stale' } },
      },
    ]);
    expect(events.list()).toEqual([]);
    await events.fire(request, { datacenter: 'dc1', token });
    expect(events.list()).toHaveLength(1);
  });

  it('are checked before they go', async () => {
    const { events, server } = setUp();
    const request = { Name: 'deploy', Payload: null, NodeFilter: '[', ServiceFilter: '', TagFilter: '' };
    await expect(events.fire(request, { datacenter: 'dc2' })).rejects.toThrow('Invalid node filter');
    expect(server.calls).toEqual([]);
  });
});
