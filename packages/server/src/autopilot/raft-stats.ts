import { LictorError, type RaftStats } from '@lictor/protocol';

/** What another server says about itself, which nothing but its word vouches for. @throws LictorError `invalid-argument` */
export function parseRaftStats(value: unknown): RaftStats {
  const fields = (typeof value === 'object' && value !== null ? value : {}) as Readonly<Record<string, unknown>>;
  const { id, state, lastContactMs } = fields;
  if (typeof id !== 'string') throw unreadable('id');
  if (!isState(state)) throw unreadable('state');
  const count = (name: string): number => {
    const number = fields[name];
    if (typeof number === 'number' && Number.isSafeInteger(number) && number >= 0) return number;
    throw unreadable(name);
  };
  return {
    id,
    state,
    term: count('term'),
    lastLogIndex: count('lastLogIndex'),
    lastLogTerm: count('lastLogTerm'),
    commitIndex: count('commitIndex'),
    appliedIndex: count('appliedIndex'),
    lastSnapshotIndex: count('lastSnapshotIndex'),
    lastSnapshotTerm: count('lastSnapshotTerm'),
    // A codec may not tell null and undefined apart.
    lastContactMs: lastContactMs === null || lastContactMs === undefined ? undefined : contact(lastContactMs),
    numPeers: count('numPeers'),
  };
}

function contact(value: unknown): number {
  if (typeof value === 'number' && value >= 0) return value;
  throw unreadable('lastContactMs');
}

function isState(value: unknown): value is RaftStats['state'] {
  return value === 'Leader' || value === 'Follower' || value === 'Candidate' || value === 'Shutdown';
}

function unreadable(field: string): LictorError {
  return new LictorError('invalid-argument', `the answer of a server about its log cannot be read: ${field}`);
}
