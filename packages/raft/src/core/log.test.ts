import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { entry, membershipEntry } from '../testing/driven-core.ts';
import type { Entry } from './entry.ts';
import { RaftLog } from './log.ts';
import { EMPTY_MEMBERSHIP } from './membership.ts';

const EMPTY = { index: 0, term: 0, membership: { ...EMPTY_MEMBERSHIP, voters: ['a'] } };

/** The same log as a plain list that is never compacted, and a disk: what of it was written and acknowledged. */
class NaiveLog {
  entries: Entry[] = [];
  disk: Entry[] = [];
  committed = 0;

  merge(entries: readonly Entry[]): void {
    for (const one of entries) {
      if (this.entries[one.index - 1]?.term === one.term) continue;
      this.entries = [...this.entries.slice(0, one.index - 1), one];
    }
  }

  conflict(index: number, term: number): number {
    const fitting = [0, ...this.entries.filter((one) => one.index <= index && one.term <= term).map((one) => one.index)];
    return Math.max(...fitting);
  }

  /** How much of the log is on disk as it is in memory. */
  get stable(): number {
    const differs = this.entries.findIndex((one, at) => this.disk[at]?.term !== one.term);
    return differs === -1 ? this.entries.length : differs;
  }
}

const steps = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('merge' as const), back: fc.nat(6), newer: fc.boolean(), count: fc.nat(5) }),
    fc.record({
      kind: fc.constantFrom('commit' as const, 'write' as const, 'write' as const, 'acknowledge' as const, 'compact' as const),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
  ),
  { maxLength: 60 },
);

describe('a log (Raft 5.3, 7)', () => {
  it('is what a plain list of entries is, whatever is merged, committed, written, acknowledged and compacted', () => {
    fc.assert(
      fc.property(steps, (some) => {
        const log = new RaftLog(EMPTY, [], 0);
        const naive = new NaiveLog();
        const batches: { readonly entries: readonly Entry[]; readonly lastIndex: number; readonly lastTerm: number }[] = [];
        let term = 1;
        for (const step of some) {
          if (step.kind === 'merge') {
            if (step.newer) term++;
            // Only a new leader replaces anything: one term never has two entries at an index, nor two pasts (log matching).
            const from = Math.max(naive.committed, naive.entries.length - (step.newer ? step.back : 0));
            // What is there already up to `from`, then entries of the present leader.
            const overlap = naive.entries.slice(Math.max(naive.committed, from - 2), from);
            const fresh = Array.from({ length: step.count }, (_, at) => entry(from + 1 + at, term));
            log.merge([...overlap, ...fresh]);
            naive.merge([...overlap, ...fresh]);
          } else if (step.kind === 'commit') {
            naive.committed = Math.max(naive.committed, Math.floor(step.share * naive.entries.length));
            log.commitTo(naive.committed);
          } else if (step.kind === 'write') {
            batches.push({ entries: log.takeUnsaved(), lastIndex: log.lastIndex, lastTerm: log.lastTerm });
          } else if (step.kind === 'acknowledge') {
            const batch = batches.shift();
            const first = batch?.entries[0];
            if (batch === undefined) continue;
            if (first !== undefined) naive.disk = [...naive.disk.slice(0, first.index - 1), ...batch.entries];
            log.stableTo(batch.lastIndex, batch.lastTerm);
          } else {
            const index = Math.floor(step.share * Math.min(naive.committed, naive.stable));
            const meta = { index, term: log.termOf(index) ?? 0, membership: EMPTY.membership };
            if (index >= log.firstIndex) log.compact(meta, index - 1);
          }
          expectSame(log, naive);
        }
      }),
      { numRuns: 400 },
    );
  });

  it('gives as many entries as fit, and one that does not fit by itself', () => {
    const log = new RaftLog(
      EMPTY,
      [1, 2, 3].map((index) => entry(index, 1, 'command', 'x'.repeat(68))),
      0,
    );
    expect(log.slice(1, 3, 200)).toHaveLength(2);
    expect(log.slice(1, 3, 199)).toHaveLength(1);
    expect(log.slice(1, 3, 1)).toHaveLength(1);
    expect(log.slice(4, 9)).toEqual([]);
  });

  it('compares as the election restriction does (Raft 5.4.1)', () => {
    const log = new RaftLog(EMPTY, [entry(1, 1), entry(2, 3)], 0);
    const compared = [log.isUpToDate(2, 3), log.isUpToDate(1, 3), log.isUpToDate(9, 2), log.isUpToDate(1, 4)];
    expect(compared).toEqual([true, false, false, true]);
  });

  it('knows the membership in force at each index, also behind a snapshot', () => {
    const entries = [entry(1, 1), membershipEntry(2, 1, { voters: ['b'] }), entry(3, 1), membershipEntry(4, 1, { voters: ['c'] })];
    const log = new RaftLog(EMPTY, entries, 4);
    expect([0, 1, 2, 3, 4].map((index) => log.membershipAt(index).voters[0])).toEqual(['a', 'a', 'b', 'b', 'c']);
    log.compact({ index: 3, term: 1, membership: log.membershipAt(3) }, 4);
    expect([3, 4].map((index) => log.membershipAt(index).voters[0])).toEqual(['b', 'c']);
    expect(() => log.membershipAt(1)).toThrow('compacted');
  });

  it('stops rather than lose or skip what is committed', () => {
    const log = new RaftLog(EMPTY, [entry(1, 1), entry(2, 1)], 2);
    expect(() => log.merge([entry(2, 2)])).toThrow('truncation');
    expect(() => log.append([entry(4, 2)])).toThrow('entry 4 behind 2');
    expect(() => log.append([entry(3, 0)])).toThrow('term 0 behind 1');
    expect(() => log.commitTo(3)).toThrow('beyond the last');
    expect(() => log.restore({ ...EMPTY, index: 2, term: 2 })).toThrow('not ahead');
  });
});

function expectSame(log: RaftLog, naive: NaiveLog): void {
  const last = naive.entries.length;
  expect([log.lastIndex, log.lastTerm, log.committed]).toEqual([last, naive.entries.at(-1)?.term ?? 0, naive.committed]);
  // May lag behind the disk, must never be ahead of it.
  expect(log.stable).toBeLessThanOrEqual(naive.stable);
  expect(log.slice(log.firstIndex, last)).toEqual(naive.entries.slice(log.firstIndex - 1));
  for (let index = log.firstIndex; index <= last + 1; index++) {
    expect(log.termOf(index)).toBe(naive.entries[index - 1]?.term);
    const { index: found } = log.findConflict(index, log.lastTerm - 1);
    const expected = naive.conflict(index, log.lastTerm - 1);
    expect(found).toBe(expected >= log.firstIndex - 1 ? expected : 0);
  }
}
