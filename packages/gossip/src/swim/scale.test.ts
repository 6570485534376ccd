import { seededRandom } from '@lictor/protocol/testing';
import { describe, expect, it } from 'vitest';
import { MemberTable, type Node } from './member-table.ts';
import { pushPullIntervalMs, retransmitLimit, suspicionTimeoutMs } from './scale.ts';

/** memberlist's figures (consul-facts T020). */
describe('what grows with the pool', () => {
  it('times that a rumour is sent', () => {
    expect([0, 1, 9, 10, 99, 100, 1000].map((members) => retransmitLimit(4, members))).toEqual([0, 4, 4, 8, 8, 12, 16]);
  });

  it('the shortest suspicion', () => {
    expect([1, 5, 10, 100, 1000].map((members) => suspicionTimeoutMs(4, members, 1000))).toEqual([4000, 4000, 4000, 8000, 12_000]);
  });

  it('the interval of push/pull', () => {
    expect([1, 32, 33, 64, 65, 128, 1000].map((members) => pushPullIntervalMs(30_000, members) / 30_000)).toEqual([1, 1, 2, 2, 3, 3, 6]);
  });
});

describe('the order of probes (SWIM 4.3)', () => {
  const node = (name: string): Node => ({
    name,
    id: '',
    address: '1.2.3.4:1',
    tags: {},
    versions: { min: 1, max: 1, current: 1 },
    incarnation: 1,
    state: 'alive',
    changedMs: 0,
    suspicion: undefined,
  });

  it('takes a newcomer in this round or in the next, wherever it comes in', () => {
    for (let seed = 0; seed < 50; seed++) {
      const table = new MemberTable(seededRandom(seed));
      for (let number = 0; number < 10; number++) table.add(node(`n${number}`));
      for (let probes = 0; probes < seed % 10; probes++) table.nextToProbe(() => true);
      table.add(node('new'));
      let probes = 1;
      while (table.nextToProbe(() => true)?.name !== 'new') probes++;
      // Two rounds less one, at most.
      expect(probes).toBeLessThanOrEqual(2 * 11 - 1);
    }
  });

  it('goes on where it was when one is forgotten', () => {
    const table = new MemberTable(seededRandom(1));
    const nodes = Array.from({ length: 6 }, (_, number) => node(`n${number}`));
    for (const each of nodes) table.add(each);
    // A round comes to its end.
    for (const _each of nodes) table.nextToProbe(() => true);
    const first = table.nextToProbe(() => true);
    if (first !== undefined) table.remove(first);
    const rest = Array.from({ length: 5 }, () => table.nextToProbe(() => true)?.name);
    expect(new Set(rest).size).toBe(5);
    expect(rest).not.toContain(first?.name);
  });

  it('picks each as often as any other', () => {
    const table = new MemberTable(seededRandom(2));
    for (let number = 0; number < 40; number++) table.add(node(`n${number}`));
    const counts = new Map<string, number>();
    for (let round = 0; round < 4000; round++)
      for (const { name } of table.pick(3, ({ name: own }) => own !== 'n0')) counts.set(name, (counts.get(name) ?? 0) + 1);
    expect(counts.has('n0')).toBe(false);
    expect(counts.size).toBe(39);
    // 308 are expected; four standard deviations are 70.
    for (const count of counts.values()) expect(Math.abs(count - 308)).toBeLessThan(90);
  });
});
