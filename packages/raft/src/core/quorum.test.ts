import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Membership } from './entry.ts';
import { EMPTY_MEMBERSHIP } from './membership.ts';
import { countVotes, quorumValue } from './quorum.ts';

const IDS = ['a', 'b', 'c', 'd', 'e', 'f', 'g'] as const;
const someIds = fc.subarray([...IDS]);
const memberships = fc
  .record({ voters: fc.subarray([...IDS], { minLength: 1 }), outgoing: someIds })
  .map((some): Membership => ({ ...EMPTY_MEMBERSHIP, ...some }));

/** By definition: the highest value that more than half of the voters have reached. */
function naiveValue(ids: readonly string[], valueOf: (id: string) => number): number {
  const reached = ids.map(valueOf).filter((value) => ids.filter((id) => valueOf(id) >= value).length * 2 > ids.length);
  return Math.max(...reached);
}

describe('a quorum (Raft 5.2, 5.3; thesis 4.3)', () => {
  it('has reached what a majority of each half has', () => {
    fc.assert(
      fc.property(memberships, fc.array(fc.nat(20), { minLength: 7, maxLength: 7 }), (membership, values) => {
        const valueOf = (id: string): number => values[IDS.indexOf(id as (typeof IDS)[number])] ?? 0;
        const halves = [membership.voters, membership.outgoing].filter((ids) => ids.length > 0);
        expect(quorumValue(membership, valueOf)).toBe(Math.min(...halves.map((ids) => naiveValue(ids, valueOf))));
      }),
    );
  });

  it('elects when each half does, refuses when one half cannot any more, and waits otherwise', () => {
    const votesOf = fc.array(fc.option(fc.boolean()), { minLength: 7, maxLength: 7 });
    fc.assert(
      fc.property(memberships, votesOf, (membership, given) => {
        const votes = new Map<string, boolean>();
        for (const [position, vote] of given.entries()) if (vote !== null) votes.set(IDS[position] ?? '', vote);
        const halves = [membership.voters, membership.outgoing].filter((ids) => ids.length > 0);
        const count = (ids: readonly string[], vote: boolean | undefined): number => ids.filter((id) => votes.get(id) === vote).length;
        const won = halves.every((ids) => count(ids, true) * 2 > ids.length);
        const lost = halves.some((ids) => (count(ids, true) + count(ids, undefined)) * 2 <= ids.length);
        expect(countVotes(membership, votes)).toBe(won ? 'won' : lost ? 'lost' : 'pending');
      }),
    );
  });

  it('of nobody reaches nothing', () => {
    expect(quorumValue(EMPTY_MEMBERSHIP, () => 5)).toBe(-Infinity);
    expect(countVotes(EMPTY_MEMBERSHIP, new Map())).toBe('lost');
  });
});
