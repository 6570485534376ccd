import { silentLogger, silentMetrics } from '@lictor/protocol';
import { FakeClock, seededRandom } from '@lictor/protocol/testing';
import { describe, expect, it } from 'vitest';
import { EMPTY_MEMBERSHIP } from '../core/membership.ts';
import { MemoryLogStore, MemorySnapshotStore } from '../storage/index.ts';
import { NodeMetrics } from './node-metrics.ts';
import type { SnapshotReceiver } from './ports.ts';
import { SnapshotExchange } from './snapshot-exchange.ts';

const META = { index: 77, term: 6, membership: EMPTY_MEMBERSHIP };
const REQUEST = { type: 'snapshot', from: 'a', to: 'b', term: 6, snapshot: META } as const;

// sim:cluster seed 140957: two leaders' downloads of one snapshot crossed, and the one that was asked for was removed by the other.
describe('two downloads of a snapshot', () => {
  it('are not both there: once another has begun, what the first has brought is not asked for', async () => {
    const clock = new FakeClock();
    let begin = (): void => undefined;
    const finished = { meta: META, sizeBytes: 0, read: () => empty(), state: () => empty() };
    const receiver: SnapshotReceiver = {
      offset: 0,
      append: () => Promise.resolve(),
      finish: () => Promise.resolve(finished),
      close: () => Promise.resolve(),
    };
    const snapshots = new MemorySnapshotStore();
    let begun = 0;
    snapshots.receive = () => (++begun === 1 ? Promise.resolve(receiver) : new Promise((resolve) => (begin = () => resolve(receiver))));
    const transport = {
      start: () => Promise.resolve(),
      setPeers: () => undefined,
      send: () => undefined,
      sendSnapshot: () => Promise.resolve(false),
      stop: () => Promise.resolve(),
    };
    const machine = { apply: () => [], snapshot: () => empty(), restore: () => Promise.resolve() };
    const ports = {
      clock,
      random: seededRandom(1),
      logger: silentLogger,
      metrics: silentMetrics,
      log: new MemoryLogStore(),
      snapshots,
      transport,
      machine,
      onFailure: () => undefined,
    };
    const exchange = new SnapshotExchange(ports, new NodeMetrics(clock, silentMetrics, 100));
    const first = await exchange.receive(META);
    const second = exchange.receive(META);
    await expect(first.finish()).rejects.toMatchObject({ code: 'stopped' });
    expect(exchange.has(REQUEST)).toBe(false);
    begin();
    await (await second).finish();
    expect(exchange.has(REQUEST)).toBe(true);
  });
});

async function* empty(): AsyncGenerator<Uint8Array> {
  // Nothing.
}
