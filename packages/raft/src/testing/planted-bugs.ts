import type { PlantedBug } from './mutants.ts';

/**
 * Mistakes that the simulator has to find. They are made in a copy of the sources, so that the sources themselves have no switches for
 * them; one whose text is not there any more fails its test.
 */
export const PLANTED_BUGS: readonly PlantedBug[] = [
  {
    name: 'votes twice in a term',
    file: 'election.ts',
    find: '(state.vote === undefined ? state.leader === undefined : state.vote === from)',
    replace: 'true',
  },
  {
    name: 'votes for a log that lacks committed entries',
    file: 'election.ts',
    find: 'const granted = mayVote && state.log.isUpToDate(lastIndex, lastTerm);',
    replace: 'const granted = mayVote && lastTerm >= 0 && lastIndex >= 0;',
  },
  {
    name: 'answers a vote before it is durable',
    file: 'election.ts',
    find: 'else state.sendWhenDurable(reply);',
    replace: 'else state.sendNow(reply);',
  },
  {
    name: 'forgets the vote on disk',
    file: 'state.ts',
    find: '{ term: this.term, vote: this.vote, commit: this.log.committed }',
    replace: '{ term: this.term, vote: undefined, commit: this.log.committed }',
  },
  {
    name: 'stands again in a term that it lost in a crash',
    file: 'election.ts',
    find: 'state.setTerm(state.term + 1, state.id);',
    replace: 'state.term++;\n  state.vote = state.id;',
  },
  {
    name: 'commits an entry of an older term by counting',
    file: 'replication.ts',
    find: '|| log.termOf(index) !== state.term',
    replace: '',
  },
  {
    name: 'acknowledges entries before they are durable',
    file: 'replication.ts',
    find: 'state.sendWhenDurable(reply);',
    replace: 'state.sendNow(reply);',
  },
  {
    name: 'takes one less than a majority for a quorum',
    file: 'quorum.ts',
    find: 'values[Math.floor(ids.length / 2)]',
    replace: 'values[Math.max(0, Math.floor(ids.length / 2) - 1)]',
  },
  {
    name: 'needs only the new majority while a change is joint',
    file: 'quorum.ts',
    find: 'return membership.outgoing.length === 0 ? value : Math.min(value, majorityValue(membership.outgoing, valueOf));',
    replace: 'return value;',
  },
  {
    name: 'elects by the new majority alone while a change is joint',
    file: 'quorum.ts',
    find: "return result === 'won' && other === 'won' ? 'won' : 'pending';",
    replace: 'return result;',
  },
  {
    name: 'takes a new membership into account only when it is committed',
    file: 'log.ts',
    find: 'const latest = this.#memberships.at(-1);',
    replace: 'const latest = this.#memberships.findLast(({ index }) => index <= this.#committed);',
  },
  {
    name: 'changes voters without a joint phase',
    file: 'membership.ts',
    find: 'outgoing: current.voters,',
    replace: 'outgoing: [],',
  },
  {
    name: 'keeps conflicting entries behind the ones that match',
    file: 'log.ts',
    find: 'if (first.index <= this.lastIndex) this.#truncate(first.index);',
    replace: 'if (first.index <= this.lastIndex) return;',
  },
  {
    name: 'does not write anew what replaces truncated entries',
    file: 'log.ts',
    find: 'this.#unsaved = Math.min(this.#unsaved, from);',
    replace: '',
  },
  {
    name: 'takes an acknowledgement of the disk for entries that were truncated meanwhile',
    file: 'log.ts',
    find: 'if (index > this.#stable && this.termOf(index) === term) this.#stable = index;',
    replace: 'if (index > this.#stable && term >= 0) this.#stable = Math.min(index, this.lastIndex);',
  },
  {
    name: 'applies out of order',
    file: 'state.ts',
    find: 'const entries = this.log.slice(this.#emitted + 1, through);',
    replace: 'const entries = [...this.log.slice(this.#emitted + 1, through)].reverse();',
  },
  {
    name: 'tells a follower to commit what may not match there',
    file: 'heartbeat.ts',
    find: 'const commit = Math.min(progress.match, state.log.committed);',
    replace: 'const commit = state.log.committed;',
  },
  {
    name: 'forgets who waits for a read when it loses leadership',
    file: 'election.ts',
    find: '  failReads(state);\n',
    replace: '',
  },
  {
    name: 'appends without a look at the entry before',
    file: 'replication.ts',
    find: 'if (log.termOf(request.prevIndex) === request.prevTerm) {',
    replace: 'if (log.termOf(request.prevIndex) !== undefined) {',
  },
  {
    name: 'answers consistent reads without asking a quorum',
    file: 'reads.ts',
    find: 'if (read.round > confirmed) return true;',
    replace: '',
  },
  {
    name: 'answers consistent reads by a round that began before them',
    file: 'reads.ts',
    find: 'round: leadership.round + 1 });',
    replace: 'round: leadership.round });',
  },
  {
    name: 'answers reads before anything of its term is committed',
    file: 'reads.ts',
    find: 'return state.log.committed >= (state.leadership?.firstIndex ?? Infinity);',
    replace: 'return state.leadership !== undefined;',
  },
  {
    name: 'keeps its lease too long',
    file: 'reads.ts',
    find: 'leadership.leaseUntilMs = since + state.options.leaseMs;',
    replace: 'leadership.leaseUntilMs = since + 20 * state.options.leaseMs;',
  },
  {
    name: 'serves lease reads while it gives leadership away',
    file: 'reads.ts',
    find: 'leadership.transfer !== undefined || ',
    replace: '',
  },
  {
    name: 'relies on its lease again after a transfer that came to nothing',
    file: 'raft.ts',
    find: 'leadership.leaseForfeited ||= leadership.transfer?.called === true;',
    replace: '',
  },
  {
    name: 'says that a snapshot covers one entry more than it does',
    file: 'raft.ts',
    find: 'return { index, term, membership: log.membershipAt(index) };',
    replace: 'return { index: Math.min(index + 1, log.committed), term, membership: log.membershipAt(index) };',
  },
  {
    name: 'leads on though a newer term is known',
    file: 'raft.ts',
    find: 'becomeFollower(state, message.term, isFromLeader(message) ? message.from : undefined);\n    return true;',
    replace:
      "if (state.role === 'leader' && message.type !== 'append' && message.type !== 'heartbeat') return false;\n    becomeFollower(state, message.term, isFromLeader(message) ? message.from : undefined);\n    return true;",
  },
  {
    name: 'never backs off after a rejected append',
    file: 'progress.ts',
    find: 'this.next = Math.max(Math.min(index, hintIndex + 1), this.match + 1);',
    replace: '',
  },
  {
    name: 'never sends again what was lost on its way',
    file: 'replication.ts',
    find: "if (progress.match < state.log.lastIndex || progress.state === 'probe') sendAppend(state, reply.from);",
    replace: '',
  },
];
