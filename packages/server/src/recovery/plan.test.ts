import { EMPTY_MEMBERSHIP } from '@lictor/raft';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodePeers } from '../consensus/raft/peers-file.ts';
import { planRecovery } from './plan.ts';
import type { Survivor } from './survivor.ts';

const ADDRESSES = { a: 'a:1', b: 'b:1', c: 'c:1', d: 'd:1', e: 'e:1' };

/** `terms[i]` is the term of entry i + 1. */
function survivor(nodeId: string, terms: readonly number[], more: Partial<Survivor> = {}): Survivor {
  return {
    dataDir: `/${nodeId}`,
    nodeId,
    clusterId: 'cluster',
    term: terms.at(-1) ?? 0,
    last: { index: terms.length, term: terms.at(-1) ?? 0 },
    commit: 0,
    snapshot: { index: 0, term: 0 },
    membership: { ...EMPTY_MEMBERSHIP, voters: ['a', 'b', 'c'], addresses: ADDRESSES },
    hasPeersFile: false,
    termAt: (index) => terms[index - 1],
    ...more,
  };
}

const ids = (survivors: readonly Survivor[]): string[] => survivors.map(({ nodeId }) => nodeId);

describe('which log goes on (Raft 5.4.1)', () => {
  it('is the one with the latest term at its end, then the longest', () => {
    expect(planRecovery([survivor('a', [1, 1, 1, 1]), survivor('b', [1, 1, 2])]).best.nodeId).toBe('b');
    expect(planRecovery([survivor('a', [1, 1]), survivor('b', [1, 1, 1])]).best.nodeId).toBe('b');
  });

  it('tells which of its entries nobody knows to be committed', () => {
    expect(planRecovery([survivor('a', [1, 1, 1], { commit: 1 }), survivor('b', [1, 1, 1], { commit: 2 })]).uncertain).toEqual({
      from: 3,
      through: 3,
    });
    expect(planRecovery([survivor('a', [1, 1, 1], { commit: 3 })]).uncertain).toBeUndefined();
  });
});

describe('who goes on', () => {
  it('are those whose log is a part of the best', () => {
    const plan = planRecovery([survivor('a', [1, 1, 2]), survivor('b', [1, 1])]);
    expect([ids(plan.kept), plan.dropped, plan.peers]).toEqual([
      ['a', 'b'],
      [],
      [
        { id: 'a', address: 'a:1' },
        { id: 'b', address: 'b:1' },
      ],
    ]);
  });

  it('are not those that contradict it', () => {
    const plan = planRecovery([survivor('a', [1, 2]), survivor('b', [1, 1, 1])]);
    expect([ids(plan.kept), plan.dropped]).toMatchObject([['a'], [{ survivor: { nodeId: 'b' }, reason: 'diverged' }]]);
    expect(plan.peers).toEqual([{ id: 'a', address: 'a:1' }]);
  });

  it('may have left the best log behind their own snapshot, when all they have is committed', () => {
    const compacted = survivor('a', [], {
      last: { index: 90, term: 3 },
      snapshot: { index: 80, term: 3 },
      commit: 90,
      termAt: (index) => (index >= 80 ? 3 : undefined),
    });
    const committed = survivor('b', [], { last: { index: 40, term: 2 }, commit: 40 });
    const unknown = survivor('c', [], { last: { index: 41, term: 2 }, commit: 40 });
    expect(ids(planRecovery([compacted, committed]).kept)).toEqual(['a', 'b']);
    expect(planRecovery([compacted, unknown]).dropped).toMatchObject([{ reason: 'diverged' }]);
  });

  it('never are so many behind that they could elect a leader without the rest', () => {
    const plan = planRecovery([survivor('a', [1, 1, 1]), survivor('b', [1, 1]), survivor('c', [1])]);
    expect([ids(plan.kept), plan.dropped]).toMatchObject([['a', 'b'], [{ survivor: { nodeId: 'c' }, reason: 'behind' }]]);
    const log = fc.array(fc.constantFrom(0, 1, 2), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(fc.array(log, { minLength: 1, maxLength: 5 }), (logs) => {
        const { kept, best } = planRecovery(
          logs.map((steps, at) =>
            survivor(
              'abcde'[at] ?? '',
              steps.toSorted((left, right) => left - right),
            ),
          ),
        );
        const behind = kept.filter(({ last }) => last.index !== best.last.index || last.term !== best.last.term);
        expect(behind.length).toBeLessThan(Math.floor(kept.length / 2) + 1);
        for (const { last } of kept) expect(best.termAt(last.index)).toBe(last.term);
      }),
    );
  });

  it('are where the operator says, when the operator says', () => {
    const addresses = new Map([
      ['a', '10.0.0.1:8300'],
      ['z', '10.0.0.9:8300'],
    ]);
    expect(planRecovery([survivor('a', [1])], addresses).peers).toEqual([
      { id: 'a', address: '10.0.0.1:8300' },
      { id: 'z', address: '10.0.0.9:8300' },
    ]);
    expect(() => planRecovery([survivor('a', [1]), survivor('b', [1])], addresses)).toThrow('server b of /b is not among those given');
    const lost = survivor('x', [1]);
    expect(() => planRecovery([lost])).toThrow('the log does not say where server x is');
  });
});

describe('what may be lost', () => {
  const plan = (...nodeIds: string[]) => {
    const membership = { ...EMPTY_MEMBERSHIP, voters: ['a', 'b', 'c', 'd', 'e'], addresses: ADDRESSES };
    const { missing, hasQuorum, mayLoseAcknowledged } = planRecovery(nodeIds.map((id) => survivor(id, [1], { membership })));
    return [missing.length, hasQuorum, mayLoseAcknowledged];
  };

  it('is nothing acknowledged as long as no majority is missing', () => {
    expect(plan('a', 'b', 'c')).toEqual([2, true, false]);
    expect(plan('a', 'b')).toEqual([3, false, true]);
    const four = { ...EMPTY_MEMBERSHIP, voters: ['a', 'b', 'c', 'd'], addresses: ADDRESSES };
    const half = planRecovery(['a', 'b'].map((id) => survivor(id, [1], { membership: four })));
    expect([half.hasQuorum, half.mayLoseAcknowledged]).toEqual([false, false]);
  });
});

describe('what cannot be recovered together', () => {
  it('are two clusters, one server twice, and nothing', () => {
    expect(() => planRecovery([survivor('a', [1]), survivor('b', [1], { clusterId: 'other' })])).toThrow(
      'different clusters: cluster, other',
    );
    expect(() => planRecovery([survivor('a', [1]), survivor('a', [1], { dataDir: '/copy' })])).toThrow(
      '/a and /copy are of the same server, a',
    );
    expect(() => planRecovery([])).toThrow('no data directory');
  });
});

describe('peers.json (consul-facts O003)', () => {
  it('is the same for the same servers, in any order', () => {
    const peers = [
      { id: 'b', address: 'b:1' },
      { id: 'a', address: 'a:1' },
    ];
    expect(encodePeers(peers)).toBe(encodePeers(peers.toReversed()));
    expect(JSON.parse(encodePeers(peers))).toEqual([
      { id: 'a', address: 'a:1', non_voter: false },
      { id: 'b', address: 'b:1', non_voter: false },
    ]);
  });
});
