import { createHash } from 'node:crypto';
import { LictorError, type Logger } from '@lictor/protocol';
import type { LogStore, SnapshotStore } from '@lictor/raft';
import type { RaftHome } from './home.ts';
import type { Identity } from './identity-file.ts';
import type { FsmMachine } from './machine.ts';
import { parsePeers, PEERS_FILE } from './peers-file.ts';

const DONE = `${PEERS_FILE}.applied`;

export interface RecoverPorts {
  readonly home: RaftHome;
  readonly log: LogStore;
  readonly snapshots: SnapshotStore;
  /** Is left with the recovered state. */
  readonly machine: FsmMachine;
  readonly logger: Logger;
}

/**
 * An operator's word, in `peers.json`, on who the servers are from now on, after a quorum was lost for good (Consul's manual recovery).
 *
 * 1. All of the log counts as committed: what this server has is all that there is.
 * 2. The recovered cluster has another id, the same on every survivor that gets the same file: servers that come back from the dead do
 *    not mix with it.
 *
 * @returns the cluster's id from now on; undefined when there is no such file
 */
export async function recoverPeers(identity: Identity, ports: RecoverPorts): Promise<string | undefined> {
  const { home, log, snapshots, machine, logger } = ports;
  const text = await home.read(PEERS_FILE);
  if (text === undefined) return undefined;
  const recovery = sha256(text);
  if (recovery === identity.recovery) {
    await home.rename(PEERS_FILE, DONE);
    return identity.clusterId;
  }
  const membership = parsePeers(text);
  const { hardState, entries } = await log.load();
  const latest = await snapshots.latest();
  if (latest !== undefined) await machine.restore(latest.state());
  const snapshotIndex = latest?.meta.index ?? 0;
  const tail = entries.filter((entry) => entry.index > snapshotIndex);
  const commands = tail.filter(({ kind }) => kind === 'command');
  for (let at = 0; at < commands.length; at += SLICE) await machine.apply(commands.slice(at, at + SLICE));
  const last = tail.at(-1) ?? latest?.meta;
  if (last === undefined) throw new LictorError('internal', `${PEERS_FILE} is there, but this server has no log to go on from`);
  // The order matters: each step can be done again after a crash in the next one.
  await snapshots.save({ index: last.index, term: last.term, membership }, machine.snapshot());
  await log.clear();
  await log.write({ hardState: { term: Math.max(hardState.term, last.term), vote: undefined, commit: last.index }, entries: [] });
  const recoveredId = sha256(`${identity.clusterId}\n${recovery}`).slice(0, 32);
  await home.adopt(recoveredId, recovery);
  await home.rename(PEERS_FILE, DONE);
  if (membership.voters.length > 1) {
    // Each counts its own log as committed: where the logs differ, the longer one's end would be committed here and overwritten there.
    logger.warn(
      'all servers of peers.json must have logs of the same length: start those with a shorter one with an empty data directory',
      {
        index: last.index,
      },
    );
  }
  logger.warn('peers.json was applied: these are the servers from now on', { servers: membership.voters.join(', '), index: last.index });
  return recoveredId;
}

const SLICE = 256;

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
