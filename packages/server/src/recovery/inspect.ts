import { access, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { LictorError, type Logger } from '@lictor/protocol';
import {
  decodeMembership,
  DiskLogStore,
  EMPTY_MEMBERSHIP,
  type Entry,
  FileSnapshotStore,
  levelDisk,
  type Membership,
  type SnapshotFiles,
  type StoredLog,
  type StoredSnapshot,
  systemFiles,
} from '@lictor/raft';
import { readIdentity } from '../consensus/raft/home.ts';
import type { Identity } from '../consensus/raft/identity-file.ts';
import { PEERS_FILE } from '../consensus/raft/peers-file.ts';
import type { LogPosition, Survivor } from './survivor.ts';

/**
 * Looks into the data directory of a server that does not run. Nothing of log or snapshots is changed; LevelDB tidies its own files, as
 * at each start.
 * @throws LictorError `rejected`: not a server's, in use, or damaged
 */
export async function inspectDataDir(dataDir: string, logger: Logger): Promise<Survivor> {
  const folder = join(dataDir, 'raft');
  if (!(await exists(folder))) throw new LictorError('rejected', `${dataDir} has no raft folder: it is not the data directory of a server`);
  await refuseOthers(folder, dataDir);
  const { clusterId, nodeId } = await mustBelong(systemFiles(folder), dataDir);
  const stored = await readLog(join(folder, 'log'), dataDir);
  const snapshots = join(folder, 'snapshots');
  const latest = (await exists(snapshots)) ? await new FileSnapshotStore(systemFiles(snapshots), logger).latest() : undefined;
  const snapshot = latest?.meta ?? { index: 0, term: 0, membership: EMPTY_MEMBERSHIP };
  const entries = stored.entries.filter(({ index }) => index > snapshot.index);
  const tail = entries.at(-1);
  const last: LogPosition = tail === undefined ? positionOf(snapshot) : positionOf(tail);
  if (last.index === 0) throw new LictorError('rejected', `${dataDir} holds no log: this server has never taken part`);
  const first = stored.entries[0]?.index ?? 0;
  return {
    dataDir,
    nodeId,
    clusterId,
    term: Math.max(stored.hardState.term, last.term),
    last,
    commit: Math.max(stored.hardState.commit, snapshot.index),
    snapshot: positionOf(snapshot),
    membership: newestMembership(entries, latest),
    hasPeersFile: await exists(join(folder, PEERS_FILE)),
    termAt: (index) => (index === snapshot.index ? snapshot.term : stored.entries[index - first]?.term),
  };
}

/** LevelDB writes new files when it opens: those of root would keep the server from its own log. */
async function refuseOthers(folder: string, dataDir: string): Promise<void> {
  const ownId = process.getuid?.();
  const { uid } = await stat(folder);
  if (ownId !== undefined && uid !== ownId) {
    throw new LictorError('rejected', `${dataDir} belongs to user ${uid}: run this as that user, or on a copy`);
  }
}

async function mustBelong(files: SnapshotFiles, dataDir: string): Promise<Identity> {
  const identity = await readIdentity(files).catch((thrown: unknown) => {
    const error = LictorError.from(thrown);
    throw new LictorError('rejected', `${dataDir}: ${error.message}`, { cause: error });
  });
  if (identity !== undefined) return identity;
  throw new LictorError('rejected', `${dataDir} belongs to no cluster: this server has never been part of one`);
}

async function readLog(folder: string, dataDir: string): Promise<StoredLog> {
  if (!(await exists(folder))) throw new LictorError('rejected', `${dataDir} holds no log: this server has never taken part`);
  const log = new DiskLogStore(levelDisk(folder));
  try {
    const stored = await log.load();
    await log.close();
    return stored;
  } catch (thrown) {
    if (isLocked(thrown)) throw new LictorError('rejected', `${dataDir} is in use: stop the server first`, { cause: thrown });
    await log.close().catch(() => undefined);
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    throw new LictorError('rejected', `the log in ${dataDir} cannot be read: ${reason}`, { cause: thrown });
  }
}

/** The error of `level` is the cause of the cause. */
function isLocked(thrown: unknown): boolean {
  for (let error = thrown; error instanceof Error; error = error.cause) {
    if ('code' in error && error.code === 'LEVEL_LOCKED') return true;
  }
  return false;
}

function newestMembership(entries: readonly Entry[], snapshot: StoredSnapshot | undefined): Membership {
  const entry = entries.findLast(({ kind }) => kind === 'membership');
  return entry === undefined ? (snapshot?.meta.membership ?? EMPTY_MEMBERSHIP) : decodeMembership(entry.data);
}

function positionOf({ index, term }: LogPosition): LogPosition {
  return { index, term };
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}
