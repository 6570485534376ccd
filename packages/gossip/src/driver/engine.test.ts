import { type Clock, silentLogger, silentMetrics, type Timer } from '@lictor/protocol';
import { FakeClock, seededRandom } from '@lictor/protocol/testing';
import { describe, expect, it } from 'vitest';
import { LAN_PROFILE } from './options.ts';
import { GossipPool } from './pool.ts';
import type { Transport, TransportHandlers } from './ports.ts';
import { MemoryNetwork } from './testing/memory-network.ts';

function poolOn(transport: Transport, clock: Clock, name: string): GossipPool {
  const ports = { transport, clock, random: seededRandom(name.charCodeAt(0)), logger: silentLogger, metrics: silentMetrics };
  return new GossipPool({ profile: { ...LAN_PROFILE, compress: false, streamPings: false }, name, id: name }, ports);
}

async function formed(clock: FakeClock, network: MemoryNetwork, names: readonly string[]): Promise<GossipPool[]> {
  const pools = names.map((name) => poolOn(network.transport(), clock, name));
  for (const pool of pools) await pool.start();
  const [first, ...others] = pools;
  for (const pool of others) await pool.join([first?.self.address ?? '']);
  await clock.advance(2000);
  return pools;
}

describe('a pool on a clock that a test moves', () => {
  it('notices who is cut off, and takes it back, without a real second passing', async () => {
    const clock = new FakeClock();
    const network = new MemoryNetwork();
    const pools = await formed(clock, network, ['a', 'b', 'c']);
    const [a, , c] = pools;
    network.cut(c?.self.address ?? '');
    await clock.advance(60_000);
    expect(a?.member('c')?.status).toBe('failed');
    network.heal();
    await clock.advance(20 * 60_000);
    expect(a?.member('c')?.status).toBe('alive');
    await Promise.all(pools.map((pool) => pool.stop()));
  });

  it('leaves no timer behind', async () => {
    const clock = new FakeClock();
    const pools = await formed(clock, new MemoryNetwork(), ['a', 'b']);
    expect(clock.pendingTimers).toBe(2);
    await Promise.all(pools.map((pool) => pool.stop()));
    expect(clock.pendingTimers).toBe(0);
  });

  it('ends what waits when it is stopped', async () => {
    const clock = new FakeClock();
    const [a] = await formed(clock, new MemoryNetwork(), ['a', 'b']);
    const answers = a?.query({ name: 'q', payload: new Uint8Array(0) });
    const ended = expect(answers).rejects.toMatchObject({ code: 'stopped' });
    await a?.stop();
    await ended;
    expect(() => a?.setTags({})).toThrow(expect.objectContaining({ code: 'stopped' }));
  });
});

/** A process whose timers fire, and whose sockets are read, when the test says so: as in an event loop, one turn after the other. */
class SlowProcess implements Clock {
  nowMs = 0;
  #timers: { readonly atMs: number; readonly callback: () => void }[] = [];
  readonly #inbox: (() => void)[] = [];

  now(): number {
    return this.nowMs;
  }

  monotonic(): number {
    return this.nowMs;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    const timer = { atMs: this.nowMs + delayMs, callback };
    this.#timers.push(timer);
    return { cancel: () => void (this.#timers = this.#timers.filter((other) => other !== timer)) };
  }

  receive(read: () => void): void {
    this.#inbox.push(read);
  }

  get unread(): number {
    return this.#inbox.length;
  }

  fireTimers(): void {
    const due = this.#timers.filter(({ atMs }) => atMs <= this.nowMs);
    this.#timers = this.#timers.filter((timer) => !due.includes(timer));
    for (const { callback } of due) callback();
  }

  readSockets(): void {
    for (const read of this.#inbox.splice(0)) read();
  }
}

describe('a process that stood still', () => {
  it('reads what has come meanwhile before it judges anybody', async () => {
    const process = new SlowProcess();
    const network = new MemoryNetwork();
    const inner = network.transport();
    const queued = (handlers: TransportHandlers): TransportHandlers => ({
      ...handlers,
      onPacket: (from, packet) => process.receive(() => handlers.onPacket(from, packet)),
    });
    const sleeper = poolOn({ ...inner, start: (handlers) => inner.start(queued(handlers)) }, process, 'a');
    const other = poolOn(network.transport(), new FakeClock(), 'b');
    await sleeper.start();
    await other.start();
    await sleeper.join([other.self.address]);
    const turn = async (ms: number): Promise<void> => {
      process.nowMs += ms;
      process.fireTimers();
      await new Promise((resolve) => setImmediate(resolve));
    };
    // Rumours first; then a ping goes out, and its ack waits in the kernel.
    for (let round = 0; round < 300 && (process.nowMs < 3000 || process.unread === 0); round++) {
      if (process.nowMs < 3000) process.readSockets();
      await turn(20);
    }
    expect(process.unread).toBe(1);
    await turn(5000);
    expect(sleeper.stats()['health_score']).toBe(0);
    process.readSockets();
    for (let round = 0; round < 5; round++) {
      await turn(0);
      process.readSockets();
    }
    expect(sleeper.stats()['health_score']).toBe(0);
    // It does go on: the next ping is unanswered for as long, and this time nothing waits in the kernel.
    for (let round = 0; round < 200; round++) await turn(20);
    expect(sleeper.stats()['health_score']).toBeGreaterThan(0);
    await Promise.all([sleeper.stop(), other.stop()]);
  });
});
