import { LictorError } from '@lictor/protocol';
import type { SnapshotFiles } from '@lictor/raft';

/** Which cluster's log a data directory holds, and whose. */
export interface Identity {
  readonly clusterId: string;
  readonly nodeId: string;
  /** Which peers.json made the cluster what it is, if one did: its SHA-256. */
  readonly recovery: string;
}

const FORMAT = 1;
const NAME = 'cluster.json';
/** Consul's log: ours is another. */
const FOREIGN = ['raft.db', 'wal'] as const;
const MAX_BYTES = 1024 * 1024;

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
    const names = await this.#files.list();
    const foreign = FOREIGN.find((name) => names.includes(name));
    if (foreign !== undefined) {
      throw new LictorError(
        'internal',
        `the data directory holds a raft log of Consul (${foreign}). Start with an empty one, and bring the state over with a snapshot`,
      );
    }
    if (!names.includes(NAME)) return undefined;
    const identity = parseIdentity((await this.read(NAME)) ?? '');
    // A log that has voted under one name must never vote under another.
    if (identity.nodeId === this.#nodeId) return identity;
    throw new LictorError('internal', `the raft log was written by node ${identity.nodeId}, and this is node ${this.#nodeId}`);
  }

  async adopt(clusterId: string, recovery = ''): Promise<void> {
    const identity = { Format: FORMAT, ClusterID: clusterId, NodeID: this.#nodeId, Recovery: recovery };
    await this.write(NAME, `${JSON.stringify(identity, undefined, 2)}\n`);
  }

  /** Undefined when there is no such file. */
  async read(name: string): Promise<string | undefined> {
    if (!(await this.#files.list()).includes(name)) return undefined;
    if ((await this.#files.sizeOf(name)) > MAX_BYTES) throw new LictorError('internal', `${name} is too large`);
    const parts: Uint8Array[] = [];
    for await (const part of this.#files.read(name, 0)) parts.push(part);
    return Buffer.concat(parts).toString();
  }

  /** Whole and durable when it resolves. */
  async write(name: string, text: string): Promise<void> {
    const file = await this.#files.open(`${name}.tmp`, 0);
    try {
      await file.append(Buffer.from(text));
      await file.sync();
    } finally {
      await file.close();
    }
    await this.#files.rename(`${name}.tmp`, name);
  }

  rename(from: string, to: string): Promise<void> {
    return this.#files.rename(from, to);
  }
}

function parseIdentity(text: string): Identity {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (thrown) {
    throw new LictorError('internal', `${NAME} in the data directory cannot be read`, { cause: thrown });
  }
  const { Format, ClusterID, NodeID, Recovery } = (value ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof Format === 'number' && Format > FORMAT) {
    throw new LictorError(
      'internal',
      `the data directory was written by a newer version of Lictor (format ${Format}, this one knows ${FORMAT})`,
    );
  }
  if (Format !== FORMAT || typeof ClusterID !== 'string' || typeof NodeID !== 'string') {
    throw new LictorError('internal', `${NAME} in the data directory is damaged`);
  }
  return { clusterId: ClusterID, nodeId: NodeID, recovery: typeof Recovery === 'string' ? Recovery : '' };
}
