import type { PersistBatch } from '../core/effects.ts';
import type { Entry, Membership, SnapshotMeta } from '../core/entry.ts';
import { decodeMembership } from '../core/membership.ts';
import type { Message } from '../core/message.ts';

/** `3.2` is the entry at index 3 of term 2. */
export function formatEntry({ index, term, kind, data }: Entry): string {
  if (kind === 'noop') return `${index}.${term} noop`;
  if (kind === 'membership') return `${index}.${term} ${formatMembership(decodeMembership(data))}`;
  return `${index}.${term} "${new TextDecoder().decode(data)}"`;
}

/** `(n1 n2 n3)`; while joint `(n1 n2 n4)&(n1 n2 n3)`, the new majority first. */
export function formatMembership({ voters, outgoing, learners, demoted }: Membership): string {
  let text = `(${voters.join(' ')})`;
  if (outgoing.length > 0) text += `&(${outgoing.join(' ')})`;
  if (learners.length > 0) text += ` learners (${learners.join(' ')})`;
  if (demoted.length > 0) text += ` demoted (${demoted.join(' ')})`;
  return text;
}

export function formatSnapshot({ index, term, membership }: SnapshotMeta): string {
  return `snapshot ${index}.${term} of ${formatMembership(membership)}`;
}

export function formatMessage(message: Message): string {
  return `${message.from}->${message.to} ${contentOf(message)} term ${message.term}`;
}

function contentOf(message: Message): string {
  switch (message.type) {
    case 'vote':
      return `${message.preVote ? 'pre-vote' : 'vote'}${message.transfer ? ' as heir' : ''}, last ${message.lastIndex}.${message.lastTerm},`;
    case 'vote-reply':
      return `${message.preVote ? 'pre-vote' : 'vote'} ${message.granted ? 'granted' : 'refused'}`;
    case 'append':
      return `append after ${message.prevIndex}.${message.prevTerm} [${message.entries.map(formatEntry).join(', ')}] commit ${message.commit}`;
    case 'append-reply':
      return message.rejected
        ? `append rejected at ${message.index}, hint ${message.hintIndex}.${message.hintTerm},`
        : `append matched through ${message.index}`;
    case 'heartbeat':
      return `heartbeat ${message.round} commit ${message.commit}`;
    case 'heartbeat-reply':
      return `heartbeat ${message.round} answered`;
    case 'snapshot':
      return formatSnapshot(message.snapshot);
    case 'timeout-now':
      return 'stand for election now,';
  }
}

/** What is handed to the disk. */
export function formatWrite({ hardState, snapshot, entries, messages }: PersistBatch): string {
  const parts: string[] = [];
  if (hardState !== undefined) parts.push(`term ${hardState.term} vote ${hardState.vote ?? 'nobody'} commit ${hardState.commit}`);
  if (snapshot !== undefined) parts.push(formatSnapshot(snapshot));
  if (entries.length > 0) parts.push(`[${entries.map(formatEntry).join(', ')}]`);
  const held = messages.length === 0 ? '' : `; then ${messages.length === 1 ? 'a message' : `${messages.length} messages`}`;
  return `${parts.length === 0 ? 'nothing' : parts.join(', ')}${held}`;
}
