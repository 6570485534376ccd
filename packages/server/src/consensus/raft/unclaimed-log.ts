import { LictorError } from '@lictor/protocol';
import type { LogStore } from '@lictor/raft';

/**
 * A crash in the middle of `bootstrap` leaves a log with its first entry only, of a cluster that does not exist.
 * @throws LictorError for any other log without a cluster
 */
export async function discardUnclaimed(log: LogStore): Promise<void> {
  const { hardState, entries } = await log.load();
  if (hardState.term === 0 && entries.length === 0) return;
  if (hardState.term > 1 || hardState.commit > 0 || entries.length > 1) {
    throw new LictorError(
      'internal',
      'the data directory has a raft log, but the file that names its cluster (raft/cluster.json) is missing',
    );
  }
  await log.clear();
  await log.write({ hardState: { term: 0, vote: undefined, commit: 0 }, entries: [] });
}
