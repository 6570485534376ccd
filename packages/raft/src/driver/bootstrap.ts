import type { Membership } from '../core/entry.ts';
import { RaftError } from '../core/errors.ts';
import { encodeMembership } from '../core/membership.ts';
import type { LogStore } from './ports.ts';

/**
 * Writes a cluster's first entry, its membership, to a store with nothing in it. Several servers may each do so with the same membership:
 * the entry is the same.
 * @throws RaftError `already-bootstrapped`, `invalid-membership`
 */
export async function bootstrap(log: LogStore, membership: Membership): Promise<void> {
  if (membership.voters.length === 0) throw new RaftError('invalid-membership', 'a cluster needs a voter');
  const { hardState, entries } = await log.load();
  if (hardState.term > 0 || entries.length > 0) throw new RaftError('already-bootstrapped', 'there is a log already');
  await log.write({
    hardState: { term: 1, vote: undefined, commit: 0 },
    entries: [{ index: 1, term: 1, kind: 'membership', data: encodeMembership(membership) }],
  });
}
