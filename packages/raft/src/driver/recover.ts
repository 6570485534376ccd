import type { HardState, SnapshotMeta } from '../core/entry.ts';
import { RaftError } from '../core/errors.ts';
import { EMPTY_MEMBERSHIP } from '../core/membership.ts';
import type { Recovered } from '../core/options.ts';
import type { NodeMetrics } from './node-metrics.ts';
import type { NodePorts } from './options.ts';

const NOTHING: SnapshotMeta = { index: 0, term: 0, membership: EMPTY_MEMBERSHIP };

/**
 * Puts snapshot and log together again.
 * @throws RaftError `corrupt`: something that was acknowledged is missing
 */
export async function recover({ log, snapshots, machine, clock }: NodePorts, metrics: NodeMetrics): Promise<Recovered> {
  const stored = await log.load();
  const found = await snapshots.latest();
  const snapshot = found?.meta ?? NOTHING;
  const { index } = snapshot;
  const first = stored.entries[0];
  const last = stored.entries.at(-1);
  if (first !== undefined && first.index > index + 1) {
    throw new RaftError('corrupt', `the newest whole snapshot ends at ${index} and the log begins at ${first.index}`);
  }
  const here = first === undefined ? undefined : stored.entries[index - first.index];
  let entries = stored.entries.filter((entry) => entry.index > index);
  // A crash between the install of a leader's snapshot and what comes with it: this log is another one, and was to be cleared.
  if (last !== undefined && (last.index < index || (here !== undefined && here.term !== snapshot.term))) {
    await log.clear();
    entries = [];
  }
  const end = entries.at(-1)?.index ?? index;
  if (stored.hardState.commit > end) {
    throw new RaftError('corrupt', `entries through ${stored.hardState.commit} were committed, and the log ends at ${end}`);
  }
  if (found !== undefined) {
    const startMs = clock.monotonic();
    await machine.restore(found.state(), found.meta);
    metrics.restored(clock.monotonic() - startMs);
  }
  return { hardState: atLeast(stored.hardState, snapshot.term), snapshot, entries, applied: index };
}

/** The same crash: the term of the leader that sent the snapshot was not written yet; nobody got this server's vote in it. */
function atLeast(hardState: HardState, term: number): HardState {
  return hardState.term >= term ? hardState : { ...hardState, term, vote: undefined };
}
