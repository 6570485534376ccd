import { describe, expect, it } from 'vitest';
import { DrivenCore, entry } from '../testing/driven-core.ts';

/** A leader in term 1 whose no-op is committed and whose first round of heartbeats `b` has answered. */
function leader(): DrivenCore {
  return new DrivenCore().elect().appendReply({ index: 1 }).heartbeatReply({ round: 1 });
}

describe('leadership transfer (thesis 3.10)', () => {
  it('calls the heir once it has everything, and takes no proposals meanwhile', () => {
    const core = leader();
    core.raft.propose([Buffer.from('x')], core.nowMs);
    core.raft.transferLeadership('b', core.nowMs);
    expect(core.sent('timeout-now')).toEqual([]);
    expect(() => core.raft.propose([], core.nowMs)).toThrow(expect.objectContaining({ code: 'transferring' }));
    core.appendReply({ index: 2 });
    expect(core.sent('timeout-now')).toMatchObject([{ to: 'b' }]);
  });

  it('is given up after an election timeout', () => {
    const core = leader();
    core.raft.transferLeadership('c', core.nowMs);
    for (let round = 2; round < 12; round++) core.pass(10).heartbeatReply({ round });
    expect(core.pass(10).raft.propose([], core.nowMs).term).toBe(1);
  });

  it('makes the heir stand at once, without pre-vote and against a live lease', () => {
    const core = new DrivenCore().heartbeat({ term: 1 });
    core.receive({ type: 'timeout-now', from: 'b', to: 'a', term: 1 });
    expect(core.sync().sent('vote')).toMatchObject([
      { to: 'b', term: 2, preVote: false, transfer: true },
      { to: 'c', term: 2, preVote: false, transfer: true },
    ]);
    const voter = new DrivenCore().heartbeat({ term: 1 }).vote({ from: 'c', term: 2, transfer: true });
    expect(voter.sync().sent('vote-reply')).toMatchObject([{ to: 'c', granted: true }]);
  });
});

describe('disruptive servers (thesis 4.2.3)', () => {
  it('are not heard while the leader is', () => {
    const core = new DrivenCore().heartbeat({ term: 1 }).vote({ from: 'c', term: 9 });
    expect([core.raft.term, core.sync().sent('vote-reply')]).toEqual([1, []]);
    expect(core.pass(100).vote({ from: 'c', term: 9 }).raft.term).toBe(9);
  });

  it('are not heard by a server that has just restarted: it may have promised a leader not to', () => {
    const core = new DrivenCore({ hardState: { term: 1 } }).vote({ from: 'c', term: 2 });
    expect(core.raft.term).toBe(1);
    expect(core.pass(100).vote({ from: 'c', term: 2 }).raft.term).toBe(2);
  });
});

describe('check-quorum (thesis 6.2)', () => {
  it('a leader that hears no majority for an election timeout leads no more', () => {
    const core = leader().pass(95);
    expect(core.raft.role).toBe('leader');
    expect(core.pass(10).raft.role).toBe('follower');
  });

  it('one that hears one does', () => {
    const core = leader();
    for (let round = 2; round < 40; round++) core.pass(20).heartbeatReply({ round });
    expect(core.raft.role).toBe('leader');
  });
});

describe('ReadIndex (thesis 6.4)', () => {
  it('answers with what was committed then, once a round that began after it is answered by a majority', () => {
    const core = leader();
    core.raft.read(7, core.nowMs);
    core.heartbeatReply({ from: 'c', round: 1 });
    expect(core.reads).toEqual([]);
    core.heartbeatReply({ round: 2 });
    expect(core.reads).toEqual([{ id: 7, index: 1 }]);
  });

  it('shares one round among all that wait for it', () => {
    const core = leader();
    core.sent('heartbeat');
    core.raft.read(1, core.nowMs);
    core.raft.read(2, core.nowMs);
    core.raft.read(3, core.nowMs);
    expect(core.sent('heartbeat').filter(({ to }) => to === 'b')).toHaveLength(1);
    core.heartbeatReply({ round: 2 });
    core.heartbeatReply({ round: 3 });
    expect(core.reads.map(({ id }) => id)).toEqual([1, 2, 3]);
  });

  it('says so to whoever waits when leadership is lost', () => {
    const core = leader();
    core.raft.read(7, core.nowMs);
    core.heartbeat({ term: 5 });
    expect(core.reads).toEqual([{ id: 7, index: undefined }]);
  });

  it('is not for followers', () => {
    const core = new DrivenCore();
    core.raft.read(7, 0);
    core.take();
    expect(core.reads).toEqual([{ id: 7, index: undefined }]);
  });
});

describe('leader leases (thesis 6.4.1)', () => {
  it('last from when the heartbeat was sent that a majority has answered', () => {
    const core = leader();
    expect(core.raft.hasLease(core.nowMs)).toBe(true);
    core.pass(75);
    expect(core.raft.hasLease(core.nowMs)).toBe(true);
    core.heartbeatReply({ round: 1 });
    core.nowMs += 5;
    expect(core.raft.hasLease(core.nowMs)).toBe(false);
  });

  it('need an entry of the own term, and end when leadership is given away', () => {
    const fresh = new DrivenCore({ entries: [entry(1, 1)] }).pass(100).elect().heartbeatReply({ round: 1 });
    expect(fresh.raft.hasLease(fresh.nowMs)).toBe(false);
    const core = leader();
    core.raft.transferLeadership('b', core.nowMs);
    expect(core.raft.hasLease(core.nowMs)).toBe(false);
  });
});

describe('pre-vote (thesis 9.6)', () => {
  it('changes no term, neither of who asks nor of who answers, and writes nothing', () => {
    const core = new DrivenCore().pass(250);
    expect(core.sent('vote').every(({ preVote, term }) => preVote && term === 1)).toBe(true);
    expect(core.raft.term).toBe(0);
    const asked = new DrivenCore().vote({ preVote: true, term: 1 });
    expect(asked.sent('vote-reply')).toMatchObject([{ preVote: true, granted: true, term: 1 }]);
    expect(asked.raft.term).toBe(0);
    expect(asked.take().persist).toBeUndefined();
  });

  it('is given to several, and not to one whose log is behind', () => {
    const core = new DrivenCore({ entries: [entry(1, 1)] }).pass(100);
    core.vote({ preVote: true, term: 2, lastIndex: 1, lastTerm: 1 }).vote({ from: 'c', preVote: true, term: 2, lastIndex: 1, lastTerm: 1 });
    core.vote({ preVote: true, term: 2 });
    expect(core.sent('vote-reply').map(({ granted }) => granted)).toEqual([true, true, false]);
  });

  it('lost, leaves a follower', () => {
    const core = new DrivenCore();
    core.raft.campaign(0);
    core.voteReply({ preVote: true, granted: false }).voteReply({ from: 'c', preVote: true, granted: false });
    expect([core.raft.role, core.raft.term]).toEqual(['follower', 0]);
  });
});
