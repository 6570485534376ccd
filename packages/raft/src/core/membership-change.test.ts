import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DrivenCore, entry, membershipEntry } from '../testing/driven-core.ts';
import type { Membership } from './entry.ts';
import { changeMembership, EMPTY_MEMBERSHIP, isJoint, leaveJoint, type MembershipChange } from './membership.ts';
import { countVotes } from './quorum.ts';

const IDS = ['a', 'b', 'c', 'd', 'e'] as const;

describe('cluster membership changes (Raft 6; thesis 4.2, 4.3)', () => {
  it('count from the moment they are in the log: a joint change needs both majorities', () => {
    const core = new DrivenCore().elect();
    core.appendReply({ index: 1 });
    core.raft.changeMembership(
      ['d', 'e'].map((id) => ({ id, to: 'voter' })),
      core.nowMs,
    );
    core.sync();
    expect(core.raft.membership).toMatchObject({ voters: ['a', 'b', 'c', 'd', 'e'], outgoing: ['a', 'b', 'c'] });
    core.appendReply({ from: 'd', index: 2 }).appendReply({ from: 'e', index: 2 });
    expect(core.raft.committed).toBe(1);
    core.appendReply({ index: 2 });
    expect(core.raft.committed).toBe(2);
  });

  it('leave the joint phase by themselves', () => {
    const core = new DrivenCore().elect();
    core.appendReply({ index: 1 });
    core.raft.changeMembership([{ id: 'd', to: 'voter' }], core.nowMs);
    core.sync().appendReply({ index: 2 }).appendReply({ from: 'c', index: 2 });
    expect(core.raft.membership).toMatchObject({ voters: ['a', 'b', 'c', 'd'], outgoing: [] });
  });

  it('come one after the other', () => {
    const core = new DrivenCore().elect();
    expect(() => core.raft.changeMembership([{ id: 'd', to: 'learner' }], core.nowMs)).toThrow(
      expect.objectContaining({ code: 'membership-pending' }),
    );
    core.appendReply({ index: 1 });
    core.raft.changeMembership([{ id: 'd', to: 'learner' }], core.nowMs);
    expect(() => core.raft.changeMembership([{ id: 'e', to: 'learner' }], core.nowMs)).toThrow(
      expect.objectContaining({ code: 'membership-pending' }),
    );
  });

  it('go with the entry that is truncated', () => {
    const core = new DrivenCore({ entries: [entry(1, 1), membershipEntry(2, 1, { voters: ['a', 'd'] })] });
    expect(core.raft.membership.voters).toEqual(['a', 'd']);
    core.append({ term: 2, prevIndex: 1, prevTerm: 1, entries: [entry(2, 2)] });
    expect(core.raft.membership.voters).toEqual(['a', 'b', 'c']);
  });

  it('give learners the log and no vote', () => {
    const core = new DrivenCore({ membership: { ...EMPTY_MEMBERSHIP, voters: ['a', 'b', 'c'], learners: ['d'] } }).elect();
    expect(core.sent('append').map(({ to }) => to)).toContain('d');
    core.appendReply({ from: 'd', index: 1 });
    expect(core.raft.committed).toBe(0);
    const learner = new DrivenCore({ membership: { ...EMPTY_MEMBERSHIP, voters: ['b', 'c'], learners: ['a'] } }).pass(500);
    expect(learner.raft.role).toBe('follower');
    expect(learner.sent('vote')).toEqual([]);
  });

  it('let a leader who is out lead until that is committed, without its own vote', () => {
    const core = new DrivenCore({ voters: ['a', 'b', 'c'] }).elect();
    core.appendReply({ index: 1 }).appendReply({ from: 'c', index: 1 });
    core.raft.changeMembership([{ id: 'a', to: 'none' }], core.nowMs);
    core.sync().appendReply({ index: 2 }).appendReply({ from: 'c', index: 2 });
    expect(core.raft.membership.voters).toEqual(['b', 'c']);
    core.sync().appendReply({ index: 3 });
    expect([core.raft.role, core.raft.committed]).toEqual(['leader', 2]);
    core.appendReply({ from: 'c', index: 3 });
    expect([core.raft.role, core.raft.committed]).toEqual(['follower', 3]);
  });

  // Simulation seeds 47 and 377: a's log is the longest, so nobody else can win while b and c still need its vote.
  it('let one stand whom an uncommitted entry removes, and none whom a committed one does', () => {
    const joint = membershipEntry(1, 1, { voters: ['b', 'c'], outgoing: ['a'] });
    const entries = [joint, membershipEntry(2, 1, { voters: ['b', 'c'] })];
    const uncommitted = new DrivenCore({ voters: ['a'], entries, hardState: { commit: 1 } }).pass(250);
    expect(uncommitted.sent('vote').map(({ to }) => to)).toEqual(['b', 'c']);
    const committed = new DrivenCore({ voters: ['a'], entries, hardState: { commit: 2 } }).pass(250);
    expect(committed.sent('vote')).toEqual([]);
  });

  it('are refused when nobody would be left', () => {
    expect(() => changeMembership({ ...EMPTY_MEMBERSHIP, voters: ['a'] }, [{ id: 'a', to: 'none' }])).toThrow(
      expect.objectContaining({ code: 'invalid-membership' }),
    );
  });

  // Simulation seed 60437: a new leader took a silent server for dead, and removed it; who remained was dead.
  it('are refused while too few of those who would vote have answered this leader lately', () => {
    const core = new DrivenCore({ voters: ['a', 'b', 'c'] }).elect();
    core.appendReply({ index: 1 });
    const remove = (id: string) => () => core.raft.changeMembership([{ id, to: 'none' }], core.nowMs);
    const silent = expect.objectContaining({ code: 'quorum-silent' });
    expect(remove('b')).toThrow(silent);
    core.appendReply({ from: 'c', index: 1 }).pass(95).heartbeatReply({ from: 'b' });
    core.pass(5);
    expect(remove('b')).toThrow(silent);
    expect(remove('c')).not.toThrow();
  });

  it('never let two successive memberships elect apart from each other', () => {
    const changes = fc.array(
      fc.record({ id: fc.constantFrom(...IDS), to: fc.constantFrom('voter', 'learner', 'none') }) satisfies fc.Arbitrary<MembershipChange>,
      { minLength: 1, maxLength: 5 },
    );
    const voters = fc.subarray([...IDS], { minLength: 1 });
    fc.assert(
      fc.property(voters, changes, (current, some) => {
        fc.pre([...IDS].some((id) => wouldVote(current, some, id)));
        const before: Membership = { ...EMPTY_MEMBERSHIP, voters: current };
        const next = changeMembership(before, some);
        expectIntersection(before, next);
        if (isJoint(next)) expectIntersection(next, leaveJoint(next));
      }),
    );
  });
});

/** Over all ways to split the servers: never does one side win in one membership and the other side in the other. */
function expectIntersection(one: Membership, other: Membership): void {
  for (let side = 0; side < 1 << IDS.length; side++) {
    const votes = (mask: number): Map<string, boolean> => new Map(IDS.map((id, bit) => [id, (mask & (1 << bit)) !== 0]));
    const won = [countVotes(one, votes(side)), countVotes(other, votes(~side))];
    expect(won).not.toEqual(['won', 'won']);
  }
}

function wouldVote(voters: readonly string[], changes: readonly MembershipChange[], id: string): boolean {
  const last = changes.findLast((change) => change.id === id);
  return last === undefined ? voters.includes(id) : last.to === 'voter';
}
