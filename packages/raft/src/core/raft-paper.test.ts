import { describe, expect, it } from 'vitest';
import { DrivenCore, entry } from '../testing/driven-core.ts';
import { EMPTY_MEMBERSHIP } from './membership.ts';

const TWO_TERMS = [entry(1, 1), entry(2, 2)];

describe('terms (Raft 5.1)', () => {
  it('go up with what is heard, and a leader of an older term steps down', () => {
    const core = new DrivenCore().elect();
    expect(core.raft.role).toBe('leader');
    core.appendReply({ term: 7, rejected: true });
    expect([core.raft.role, core.raft.term]).toEqual(['follower', 7]);
  });

  it('that are older are refused, and their sender told', () => {
    const core = new DrivenCore({ hardState: { term: 5 } }).append({ term: 3, entries: [entry(1, 3)] });
    expect(core.raft.lastIndex).toBe(0);
    expect(core.sync().sent('append-reply')).toMatchObject([{ term: 5, rejected: true }]);
  });

  it('are durable before anyone is told of them', () => {
    const core = new DrivenCore().vote({ term: 4 });
    expect(core.sent('vote-reply')).toEqual([]);
    expect(core.sync().sent('vote-reply')).toMatchObject([{ term: 4, granted: true }]);
  });
});

describe('leader election (Raft 5.2)', () => {
  it('begins when a follower has heard nobody for one to two timeouts', () => {
    const core = new DrivenCore().pass(95);
    expect(core.sent('vote')).toEqual([]);
    expect(
      core
        .pass(110)
        .sent('vote')
        .map(({ to }) => to),
    ).toEqual(['b', 'c']);
  });

  it('does not begin while a leader is heard', () => {
    const core = new DrivenCore();
    for (let round = 1; round < 20; round++) core.heartbeat({ term: 1, round }).pass(90);
    expect(core.sent('vote')).toEqual([]);
  });

  it('is won by a majority, and a heartbeat says so at once', () => {
    const core = new DrivenCore({ voters: ['a', 'b', 'c', 'd', 'e'] }).elect(['b']);
    expect(core.raft.role).not.toBe('leader');
    const winner = new DrivenCore({ voters: ['a', 'b', 'c', 'd', 'e'] }).elect(['b', 'c']);
    expect(winner.raft.role).toBe('leader');
    expect(winner.sent('heartbeat').map(({ to }) => to)).toEqual(['b', 'c', 'd', 'e']);
  });

  it('gives one vote in a term, and the same one again to whom it was given', () => {
    const core = new DrivenCore().vote({ from: 'b', term: 1 }).vote({ from: 'c', term: 1 }).vote({ from: 'b', term: 1 });
    const answers = core.sync().sent('vote-reply');
    expect(answers.map(({ to, granted }) => [to, granted])).toEqual([
      ['b', true],
      ['c', false],
      ['b', true],
    ]);
  });

  it("counts a candidate's own vote when it is durable", () => {
    const core = new DrivenCore();
    core.raft.campaign(0);
    core.voteReply({ preVote: true, term: 1 }).voteReply({ from: 'b' });
    expect(core.raft.role).toBe('candidate');
    core.sync();
    expect(core.raft.role).toBe('leader');
  });

  it('ends for a candidate when a leader of its term is heard', () => {
    const core = new DrivenCore();
    core.raft.campaign(0);
    core.voteReply({ preVote: true, term: 1 }).heartbeat();
    expect([core.raft.role, core.raft.leader]).toEqual(['follower', 'b']);
  });

  it('of a single server needs nobody', () => {
    expect(new DrivenCore({ voters: ['a'] }).pass(250).sync().raft.role).toBe('leader');
  });
});

describe('log replication (Raft 5.3)', () => {
  it('commits what a majority has made durable, the leader being one of many', () => {
    const core = new DrivenCore().elect();
    core.raft.propose([Buffer.from('x')], core.nowMs);
    core.appendReply({ index: 2 });
    expect(core.raft.committed).toBe(1);
    core.sync();
    expect(core.raft.committed).toBe(2);
    expect(core.committed.map(({ index }) => index)).toEqual([1, 2]);
  });

  it('acknowledges entries when they are durable, not before', () => {
    const core = new DrivenCore().append({ term: 1, entries: [entry(1, 1)] });
    expect(core.sent('append-reply')).toEqual([]);
    expect(core.sync().sent('append-reply')).toMatchObject([{ index: 1, rejected: false }]);
  });

  it('refuses entries behind one that is missing or another, and says where to look', () => {
    const core = new DrivenCore({ entries: TWO_TERMS }).append({ term: 4, prevIndex: 5, prevTerm: 4, entries: [entry(6, 4)] });
    core.append({ term: 4, prevIndex: 2, prevTerm: 3, entries: [entry(3, 4)] });
    expect(core.raft.lastIndex).toBe(2);
    expect(core.sync().sent('append-reply')).toMatchObject([
      { index: 5, rejected: true, hintIndex: 2, hintTerm: 2 },
      { index: 2, rejected: true, hintIndex: 2, hintTerm: 2 },
    ]);
  });

  it('removes what conflicts, and keeps what an old message does not mention', () => {
    const core = new DrivenCore({ entries: [...TWO_TERMS, entry(3, 2)] });
    core.append({ term: 3, prevIndex: 1, prevTerm: 1, entries: [entry(2, 2)] });
    expect(core.raft.lastIndex).toBe(3);
    core.append({ term: 3, prevIndex: 1, prevTerm: 1, entries: [entry(2, 3)] });
    expect([core.raft.lastIndex, core.raft.termOf(2)]).toEqual([2, 3]);
  });

  it('commits no further than what the append has shown to match', () => {
    const core = new DrivenCore({ entries: [...TWO_TERMS, entry(3, 2)] });
    core.append({ term: 3, prevIndex: 0, prevTerm: 0, entries: [entry(1, 1)], commit: 3 });
    expect(core.raft.committed).toBe(1);
  });

  it('skips a whole term of conflicts in one round', () => {
    const own = Array.from({ length: 20 }, (_, at) => entry(at + 1, at < 5 ? 1 : 4));
    const core = new DrivenCore({ entries: own }).elect();
    core.sent('append');
    core.appendReply({ rejected: true, index: 20, hintIndex: 12, hintTerm: 2 });
    expect(core.sent('append')).toMatchObject([{ prevIndex: 5, prevTerm: 1 }]);
  });

  it('pipelines as many appends as the window takes, and goes on when one is acknowledged', () => {
    const core = new DrivenCore({ options: { maxInflight: 2 } }).elect();
    core.appendReply({ index: 1 });
    core.sent('append');
    for (let at = 0; at < 4; at++) core.raft.propose([Buffer.from('x')], core.nowMs);
    const toB = core.sent('append').filter(({ to }) => to === 'b');
    expect(toB.map(({ entries }) => entries.map(({ index }) => index))).toEqual([[2], [3]]);
    core.appendReply({ index: 2 });
    expect(core.sent('append').find(({ to }) => to === 'b')).toMatchObject({ prevIndex: 3 });
  });

  it('gives what is committed in order, each once', () => {
    const core = new DrivenCore().append({ term: 1, entries: [entry(1, 1), entry(2, 1), entry(3, 1)], commit: 2 }).sync();
    expect(core.committed.map(({ index }) => index)).toEqual([1, 2]);
    core.heartbeat({ commit: 3 }).sync();
    expect(core.committed.map(({ index }) => index)).toEqual([1, 2, 3]);
  });

  it('tells of the commit in heartbeats only as far as that follower is known to match', () => {
    const core = new DrivenCore().elect().appendReply({ index: 1 });
    core.sent('heartbeat');
    const heartbeats = core.pass(10).sent('heartbeat');
    expect(heartbeats.map(({ to, commit }) => [to, commit])).toEqual([
      ['b', 1],
      ['c', 0],
    ]);
  });

  it('sends again what was lost, once the way is open', () => {
    const core = new DrivenCore().elect();
    core.sent('append');
    core.heartbeatReply();
    expect(core.sent('append')).toMatchObject([{ to: 'b', prevIndex: 0, entries: [{ index: 1 }] }]);
  });
});

describe('the election restriction (Raft 5.4.1)', () => {
  const cases = [
    { lastIndex: 1, lastTerm: 2, granted: false, why: 'a shorter log of the same term' },
    { lastIndex: 9, lastTerm: 1, granted: false, why: 'a longer log of an older term' },
    { lastIndex: 2, lastTerm: 2, granted: true, why: 'the same log' },
    { lastIndex: 1, lastTerm: 3, granted: true, why: 'a shorter log of a newer term' },
  ];
  it.each(cases)('$why: $granted', ({ lastIndex, lastTerm, granted }) => {
    const core = new DrivenCore({ entries: TWO_TERMS }).pass(100).vote({ term: 5, lastIndex, lastTerm });
    expect(core.sync().sent('vote-reply').at(-1)).toMatchObject({ granted });
  });
});

describe('entries of previous terms (Raft 5.4.2, figure 8)', () => {
  it('are committed by one of the own term behind them, not by counting', () => {
    const core = new DrivenCore({ entries: TWO_TERMS }).pass(100).elect();
    core.appendReply({ index: 2 }).appendReply({ from: 'c', index: 2 });
    expect(core.raft.committed).toBe(0);
    core.appendReply({ index: 3 });
    expect(core.raft.committed).toBe(3);
  });
});

describe('crashes (Raft 5.5) and snapshots (Raft 7)', () => {
  it('a restarted server keeps its vote', () => {
    const core = new DrivenCore({ hardState: { term: 3, vote: 'c' } }).vote({ term: 3 }).vote({ from: 'c', term: 3 });
    expect(core.sync().sent('vote-reply')).toMatchObject([
      { to: 'b', granted: false },
      { to: 'c', granted: true },
    ]);
  });

  it('a vote is stored with its term', () => {
    const core = new DrivenCore();
    core.raft.step({ type: 'vote', from: 'b', to: 'a', term: 3, preVote: false, transfer: false, lastIndex: 0, lastTerm: 0 }, 0);
    expect(core.take().persist?.hardState).toEqual({ term: 3, vote: 'b', commit: 0 });
  });

  it('a snapshot stands for the log through its index, no further', () => {
    const core = new DrivenCore({ entries: [...TWO_TERMS, entry(3, 3)], hardState: { commit: 3 } });
    expect(core.raft.snapshotAt(2)).toMatchObject({ index: 2, term: 2, membership: { voters: ['a', 'b', 'c'] } });
  });

  it('a follower behind the log gets the snapshot, and appends behind it', () => {
    const core = new DrivenCore({ snapshot: { index: 10, term: 1 } }).elect();
    core.sent('append');
    core.appendReply({ rejected: true, index: 10, hintIndex: 3, hintTerm: 1 });
    expect(core.sent('snapshot')).toMatchObject([{ to: 'b', snapshot: { index: 10, term: 1 } }]);
    core.raft.snapshotSent('b', true, core.nowMs);
    core.appendReply({ index: 10 });
    expect(core.sent('append').at(-1)).toMatchObject({ prevIndex: 10, entries: [{ index: 11 }] });
  });

  it('a snapshot replaces a log that lacks it, and is acknowledged when durable', () => {
    const core = new DrivenCore({ entries: TWO_TERMS });
    const snapshot = { index: 9, term: 2, membership: { ...EMPTY_MEMBERSHIP, voters: ['a', 'b'] } };
    core.receive({ type: 'snapshot', from: 'b', to: 'a', term: 3, snapshot });
    expect([core.raft.firstIndex, core.raft.lastIndex, core.raft.committed]).toEqual([10, 9, 9]);
    expect(core.raft.membership.voters).toEqual(['a', 'b']);
    expect(core.sent('append-reply')).toEqual([]);
    expect(core.sync().sent('append-reply')).toMatchObject([{ index: 9 }]);
  });

  it('a snapshot of what is in the log already leaves the log as it is', () => {
    const core = new DrivenCore({ entries: TWO_TERMS });
    const snapshot = { index: 1, term: 1, membership: { ...EMPTY_MEMBERSHIP, voters: ['a', 'b', 'c'] } };
    core.receive({ type: 'snapshot', from: 'b', to: 'a', term: 3, snapshot });
    expect([core.raft.firstIndex, core.raft.lastIndex, core.raft.committed]).toEqual([1, 2, 1]);
  });
});

describe('clients (Raft 8)', () => {
  it('are refused by whoever does not lead, and when too much is uncommitted', () => {
    expect(() => new DrivenCore().raft.propose([], 0)).toThrow(expect.objectContaining({ code: 'not-leader' }));
    const core = new DrivenCore({ options: { maxUncommittedBytes: 200 } }).elect();
    core.raft.propose([Buffer.alloc(100)], core.nowMs);
    expect(() => core.raft.propose([Buffer.alloc(100)], core.nowMs)).toThrow(expect.objectContaining({ code: 'overloaded' }));
    core.sync().appendReply({ index: 2 });
    expect(core.raft.propose([Buffer.alloc(100)], core.nowMs).index).toBe(3);
  });

  it('read nothing before the leader has committed an entry of its term', () => {
    const core = new DrivenCore({ entries: TWO_TERMS }).pass(100).elect();
    core.raft.read(1, core.nowMs);
    core.heartbeatReply({ round: 1 }).pass(10).heartbeatReply({ round: 2 });
    expect(core.reads).toEqual([]);
    core.appendReply({ index: 3 });
    expect(core.reads).toEqual([{ id: 1, index: 3 }]);
  });
});

describe('asynchronous storage', () => {
  it('an acknowledgement for entries that were truncated meanwhile makes nothing stable', () => {
    const core = new DrivenCore();
    core.append({ term: 1, entries: [entry(1, 1), entry(2, 1)] }).append({ term: 2, entries: [entry(1, 2), entry(2, 2)], commit: 2 });
    core.sync(1);
    expect(core.committed).toEqual([]);
    core.sync(1);
    expect(core.committed.map(({ term }) => term)).toEqual([2, 2]);
  });

  it('writes anew what replaces entries that were written', () => {
    const core = new DrivenCore({ entries: TWO_TERMS });
    core.raft.step({ type: 'append', from: 'b', to: 'a', term: 3, prevIndex: 1, prevTerm: 1, entries: [entry(2, 3)], commit: 0 }, 0);
    expect(core.take().persist?.entries).toEqual([entry(2, 3)]);
  });
});
