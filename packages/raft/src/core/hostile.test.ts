import { describe, expect, it } from 'vitest';
import { DrivenCore, entry } from '../testing/driven-core.ts';
import type { Message } from './message.ts';

const OLD = { from: 'b', to: 'a', term: 1 } as const;
/** One of each kind, as a server would send it that has been away since term 1. */
const OLD_MESSAGES: readonly Message[] = [
  { type: 'vote', ...OLD, preVote: false, lastIndex: 99, lastTerm: 1, transfer: true },
  { type: 'vote', ...OLD, preVote: true, lastIndex: 99, lastTerm: 1, transfer: false },
  { type: 'vote-reply', ...OLD, preVote: false, granted: true },
  { type: 'append', ...OLD, prevIndex: 0, prevTerm: 0, entries: [entry(1, 1)], commit: 99 },
  { type: 'append-reply', ...OLD, index: 99, rejected: false, hintIndex: 0, hintTerm: 0 },
  { type: 'heartbeat', ...OLD, commit: 99, round: 99 },
  { type: 'heartbeat-reply', ...OLD, round: 99 },
  { type: 'timeout-now', ...OLD },
];

function summary({ raft }: DrivenCore): unknown {
  return [raft.role, raft.term, raft.leader, raft.committed, raft.lastIndex];
}

describe('a flood of messages of an older term', () => {
  it.each(['leader', 'follower'])('changes nothing on a %s, which answers each with one message at most', (role) => {
    const core = new DrivenCore({ hardState: { term: 4 } });
    if (role === 'leader') core.elect();
    else core.append({ from: 'c', term: 5, entries: [entry(1, 5)] });
    core.sync();
    const before = summary(core);
    let answers = 0;
    for (let round = 0; round < 500; round++) {
      for (const message of OLD_MESSAGES) {
        core.receive(message);
        const effects = core.raft.takeEffects();
        answers += effects.messages.length + (effects.persist?.messages.length ?? 0);
        expect(effects.committed).toEqual([]);
      }
    }
    expect(summary(core)).toEqual(before);
    expect(answers).toBeLessThanOrEqual(500 * OLD_MESSAGES.length);
  });
});

describe('frames that are replayed', () => {
  it('within their own term move nothing back and nothing on', () => {
    const core = new DrivenCore();
    const append: Message = { type: 'append', from: 'b', to: 'a', term: 2, prevIndex: 0, prevTerm: 0, entries: [entry(1, 2)], commit: 0 };
    const later: Message = { ...append, prevIndex: 1, prevTerm: 2, entries: [entry(2, 2), entry(3, 2)], commit: 2 };
    const heartbeat: Message = { type: 'heartbeat', from: 'b', to: 'a', term: 2, commit: 2, round: 1 };
    core.receive(append).receive(later).sync();
    const before = summary(core);
    const committed = core.committed.length;
    for (let round = 0; round < 200; round++) core.receive(later).receive(append).receive(heartbeat).sync();
    expect(summary(core)).toEqual(before);
    expect(core.committed).toHaveLength(committed);
  });

  it('of votes and of acknowledgements count once', () => {
    const core = new DrivenCore({ voters: ['a', 'b', 'c', 'd', 'e'] });
    core.raft.campaign(0);
    core.take();
    for (let copy = 0; copy < 50; copy++) core.voteReply({ preVote: true, term: core.raft.term + 1 });
    expect(core.raft.role).toBe('pre-candidate');
    core.elect(['b', 'c']);
    expect(core.raft.role).toBe('leader');
    core.raft.propose([new Uint8Array(1)], 0);
    core.sync();
    const { committed, lastIndex } = core.raft;
    for (let copy = 0; copy < 50; copy++) core.appendReply({ from: 'b', index: lastIndex });
    expect(core.raft.committed).toBe(committed);
    core.appendReply({ from: 'c', index: lastIndex });
    expect(core.raft.committed).toBe(lastIndex);
  });
});
