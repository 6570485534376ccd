import { LictorError } from '@lictor/protocol';
import type { Peer } from '../consensus/raft/peers-file.ts';
import type { Survivor } from './survivor.ts';

export interface RecoveryPlan {
  /** Whose log the cluster goes on from. */
  readonly best: Survivor;
  /** They get a peers.json; `best` among them. */
  readonly kept: readonly Survivor[];
  /** The others have to begin anew, with nothing. */
  readonly dropped: readonly { readonly survivor: Survivor; readonly reason: 'diverged' | 'behind' }[];
  /** The servers of the recovered cluster. */
  readonly peers: readonly Peer[];
  /** Voters before the disaster, by id. */
  readonly voters: readonly string[];
  /** Those of them that are not among the survivors. */
  readonly missing: readonly string[];
  /** The survivors are a majority: the cluster would elect a leader if they were started. */
  readonly hasQuorum: boolean;
  /** Writes may have been acknowledged that no survivor has. */
  readonly mayLoseAcknowledged: boolean;
  /** Entries of the best log of which nobody here knows whether they were committed; they count as committed from now on. */
  readonly uncertain: { readonly from: number; readonly through: number } | undefined;
}

/**
 * How to go on after a quorum of servers is gone for good.
 *
 * 1. The best log is the one that would win an election: the latest term at its end, then the highest index (Raft 5.4.1). It has every
 *    committed entry that any survivor has.
 * 2. A recovered server takes all that it has for committed. So another survivor is kept only when its log is a part of the best one, and
 *    those that are behind never make a majority by themselves: they could elect a leader that lacks what others hold to be committed.
 *
 * `addresses` are given by the operator, by id: they take the place of the addresses in the log, and decide who is to take part.
 * @throws LictorError `invalid-argument`
 */
export function planRecovery(survivors: readonly Survivor[], addresses: ReadonlyMap<string, string> = new Map()): RecoveryPlan {
  const best = survivors.toSorted((left, right) => right.last.term - left.last.term || right.last.index - left.last.index)[0];
  if (best === undefined) throw new LictorError('invalid-argument', 'no data directory was given');
  refuseMixture(survivors);
  const { kept, dropped } = choose(survivors, best);
  const { membership } = best;
  const voters = [...new Set([...membership.voters, ...membership.outgoing])].sort();
  const present = new Set(survivors.map(({ nodeId }) => nodeId));
  const missing = voters.filter((id) => !present.has(id));
  const majority = majorityOf(voters.length);
  const commit = Math.max(...kept.map((survivor) => survivor.commit));
  return {
    best,
    kept,
    dropped,
    peers: peersOf(kept, best, addresses),
    voters,
    missing,
    hasQuorum: voters.length - missing.length >= majority,
    mayLoseAcknowledged: missing.length >= majority,
    uncertain: commit < best.last.index ? { from: commit + 1, through: best.last.index } : undefined,
  };
}

function choose(survivors: readonly Survivor[], best: Survivor): Pick<RecoveryPlan, 'kept' | 'dropped'> {
  const isEqual = ({ last }: Survivor): boolean => last.index === best.last.index && last.term === best.last.term;
  const kept = survivors.filter(isEqual);
  const dropped: RecoveryPlan['dropped'][number][] = [];
  let behind = 0;
  const others = survivors.filter((survivor) => !isEqual(survivor)).sort((left, right) => right.last.index - left.last.index);
  for (const survivor of others) {
    if (!isPrefixOf(survivor, best)) dropped.push({ survivor, reason: 'diverged' });
    else if (behind + 1 >= majorityOf(kept.length + 1)) dropped.push({ survivor, reason: 'behind' });
    else {
      kept.push(survivor);
      behind++;
    }
  }
  return { kept, dropped };
}

function majorityOf(voters: number): number {
  return Math.floor(voters / 2) + 1;
}

function refuseMixture(survivors: readonly Survivor[]): void {
  const clusters = new Set(survivors.map(({ clusterId }) => clusterId));
  if (clusters.size > 1) {
    throw new LictorError('invalid-argument', `the data directories belong to different clusters: ${[...clusters].join(', ')}`);
  }
  const seen = new Map<string, string>();
  for (const { nodeId, dataDir } of survivors) {
    const other = seen.get(nodeId);
    if (other !== undefined) throw new LictorError('invalid-argument', `${other} and ${dataDir} are of the same server, ${nodeId}`);
    seen.set(nodeId, dataDir);
  }
}

function isPrefixOf({ last, commit }: Survivor, best: Survivor): boolean {
  // What is committed is in every log that can win an election.
  if (last.index <= commit && last.index <= best.last.index) return true;
  return best.termAt(last.index) === last.term;
}

function peersOf(kept: readonly Survivor[], best: Survivor, addresses: ReadonlyMap<string, string>): readonly Peer[] {
  const stray = kept.find(({ nodeId }) => addresses.size > 0 && !addresses.has(nodeId));
  if (stray !== undefined) {
    throw new LictorError('invalid-argument', `server ${stray.nodeId} of ${stray.dataDir} is not among those given with -server`);
  }
  if (addresses.size > 0) return [...addresses].map(([id, address]) => ({ id, address }));
  return kept.map(({ nodeId: id }) => {
    const address = best.membership.addresses[id];
    if (address === undefined || address === '') {
      throw new LictorError('invalid-argument', `the log does not say where server ${id} is: give it with -server=${id}=ip:port`);
    }
    return { id, address };
  });
}
