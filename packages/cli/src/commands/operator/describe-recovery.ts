import type { RecoveryPlan, Survivor } from '@lictor/server';
import { columnize } from '../../text/columns.ts';

const HEADER = ['Data Dir', 'Node ID', 'Term', 'Last Index', 'Last Term', 'Committed', 'Snapshot', 'Voters', 'Use'];

/** A line a survivor, the best one first. */
export function describeSurvivors(plan: RecoveryPlan, survivors: readonly Survivor[]): string {
  const inOrder = survivors.toSorted((left, right) => right.last.term - left.last.term || right.last.index - left.last.index);
  const rows = inOrder.map((survivor) => [
    survivor.dataDir,
    survivor.nodeId,
    String(survivor.term),
    String(survivor.last.index),
    String(survivor.last.term),
    String(survivor.commit),
    survivor.snapshot.index === 0 ? '-' : String(survivor.snapshot.index),
    String(survivor.membership.voters.length),
    useOf(survivor, plan),
  ]);
  return columnize([HEADER, ...rows]);
}

function useOf(survivor: Survivor, { best, dropped }: RecoveryPlan): string {
  if (survivor === best) return 'best log';
  const reason = dropped.find((each) => each.survivor === survivor)?.reason;
  if (reason === 'diverged') return 'not used: contradicts the best log';
  if (reason === 'behind') return 'not used: too many are behind';
  return 'yes';
}

/** What is lost or may be, and who the servers are to be. */
export function describePlan(plan: RecoveryPlan): string {
  return [...losses(plan), '', 'The new cluster:', ...plan.peers.map(({ id, address }) => `   ${id}  ${address}`), ...warnings(plan)].join(
    '\n',
  );
}

function losses({ best, missing, voters, mayLoseAcknowledged, uncertain, dropped }: RecoveryPlan): string[] {
  const lines = [`The cluster goes on from entry ${best.last.index} of term ${best.last.term}, in ${best.dataDir}.`];
  lines.push(
    mayLoseAcknowledged
      ? `MAY BE LOST: ${missing.length} of ${voters.length} voters are not here. They are a majority: what they acknowledged among themselves, and this log does not have, is gone.`
      : `Nothing is lost that was acknowledged: ${missing.length === 0 ? 'all voters are here' : `only ${missing.length} of ${voters.length} voters are not here`}.`,
  );
  if (uncertain !== undefined) {
    const { from, through } = uncertain;
    const which = from === through ? `Entry ${from} is` : `Entries ${from} to ${through} are`;
    lines.push(`${which} not known to be committed, and kept all the same: whoever wrote that may have been told nothing, or an error.`);
  }
  for (const { survivor, reason } of dropped) {
    if (reason === 'diverged') lines.push(`What ${survivor.dataDir} has beyond the best log was never committed, and is dropped.`);
  }
  return lines;
}

function warnings({ hasQuorum, missing, kept, peers }: RecoveryPlan): string[] {
  const lines: string[] = [];
  if (hasQuorum) lines.push('', 'These survivors are a majority: start them, and they elect a leader without a recovery.');
  if (missing.length > 0) lines.push('', `Not here: ${missing.join(', ')}. They must never start again with the data that they had.`);
  const unseen = peers.filter(({ id }) => !kept.some(({ nodeId }) => nodeId === id));
  if (unseen.length > 0) {
    lines.push(
      '',
      `Not looked at: ${unseen.map(({ id }) => id).join(', ')}. Recover each with the same -server flags, after comparing its log with the best one.`,
    );
  }
  const repeated = kept.filter(({ hasPeersFile }) => hasPeersFile);
  if (repeated.length > 0)
    lines.push('', `There is a peers.json already, which is replaced: ${repeated.map(({ dataDir }) => dataDir).join(', ')}`);
  return lines;
}
