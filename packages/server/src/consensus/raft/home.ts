import { LictorError } from '@lictor/protocol';
import type { SnapshotFiles } from '@lictor/raft';
import { encodeIdentity, type Identity, IDENTITY_FILE, parseIdentity } from './identity-file.ts';
import { readSmallFile, writeSmallFile } from './small-files.ts';

/** Consul's log: ours is another. */
const FOREIGN = ['raft.db', 'wal'] as const;

/**
 * The small files beside log and snapshots.
 * @throws LictorError when the folder is another program's, another node's or a newer version's
 */
export class RaftHome {
  readonly #files: SnapshotFiles;
  readonly #nodeId: string;

  constructor(files: SnapshotFiles, nodeId: string) {
    this.#files = files;
    this.#nodeId = nodeId;
  }

  /** Undefined: this server has never been part of a cluster. */
  async identity(): Promise<Identity | undefined> {
    const identity = await readIdentity(this.#files);
    // A log that has voted under one name must never vote under another.
    if (identity === undefined || identity.nodeId === this.#nodeId) return identity;
    throw new LictorError('internal', `the raft log was written by node ${identity.nodeId}, and this is node ${this.#nodeId}`);
  }

  async adopt(clusterId: string, recovery = ''): Promise<void> {
    await writeSmallFile(this.#files, IDENTITY_FILE, encodeIdentity({ clusterId, nodeId: this.#nodeId, recovery }));
  }

  /** Undefined when there is no such file. */
  read(name: string): Promise<string | undefined> {
    return readSmallFile(this.#files, name);
  }

  rename(from: string, to: string): Promise<void> {
    return this.#files.rename(from, to);
  }
}

/**
 * Whose log this is, whoever asks. Undefined: nobody's yet.
 * @throws LictorError when the folder is another program's or a newer version's, or damaged
 */
export async function readIdentity(files: SnapshotFiles): Promise<Identity | undefined> {
  const names = await files.list();
  const foreign = FOREIGN.find((name) => names.includes(name));
  if (foreign !== undefined) {
    throw new LictorError(
      'internal',
      `the data directory holds a raft log of Consul (${foreign}). Start with an empty one, and bring the state over with a snapshot`,
    );
  }
  const text = await readSmallFile(files, IDENTITY_FILE);
  return text === undefined ? undefined : parseIdentity(text);
}
