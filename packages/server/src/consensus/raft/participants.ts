import { LictorError, type Logger } from '@lictor/protocol';
import type { SnapshotFiles } from '@lictor/raft';
import { readSmallFile, writeSmallFile } from './small-files.ts';

const FILE = 'participants.json';
const FORMAT = 1;

/**
 * Which members of the cluster are known to have held its log. Raft counts on what a member has acknowledged and voted for: one that comes
 * back with nothing must be told from one that has never begun, also when all servers have been restarted meanwhile.
 */
export class Participants {
  readonly #files: SnapshotFiles | null;
  readonly #logger: Logger;
  readonly #ids = new Set<string>();
  #clusterId = '';
  #saved = Promise.resolve();

  constructor(files: SnapshotFiles | null, logger: Logger) {
    this.#files = files;
    this.#logger = logger;
  }

  /** What was noted of that cluster. */
  async load(clusterId: string): Promise<void> {
    this.#clusterId = clusterId;
    if (this.#files === null) return;
    const text = await readSmallFile(this.#files, FILE);
    for (const id of text === undefined ? [] : this.#parse(text)) this.#ids.add(id);
  }

  has(id: string): boolean {
    return this.#ids.has(id);
  }

  note(id: string, takesPart: boolean): void {
    if (this.#ids.has(id) === takesPart) return;
    if (takesPart) this.#ids.add(id);
    else this.#ids.delete(id);
    this.#save();
  }

  /** Resolves when what was noted is on disk, or could not be written. */
  settled(): Promise<void> {
    return this.#saved;
  }

  #save(): void {
    const files = this.#files;
    if (files === null) return;
    const text = JSON.stringify({ Format: FORMAT, ClusterID: this.#clusterId, NodeIDs: [...this.#ids].sort() });
    this.#saved = this.#saved
      .then(() => writeSmallFile(files, FILE, `${text}\n`))
      .catch((error: unknown) => this.#logger.warn('who takes part could not be noted', { error: LictorError.from(error) }));
  }

  #parse(text: string): readonly string[] {
    try {
      const { Format, ClusterID, NodeIDs } = (JSON.parse(text) ?? {}) as Readonly<Record<string, unknown>>;
      // Another cluster: this one was recovered by peers.json.
      if (Format === FORMAT && ClusterID !== this.#clusterId) return [];
      if (Format === FORMAT && Array.isArray(NodeIDs)) return NodeIDs.filter((id) => typeof id === 'string');
    } catch (thrown) {
      if (!(thrown instanceof SyntaxError)) throw thrown;
    }
    this.#logger.warn(`${FILE} cannot be read: members that come back with nothing may not be known`);
    return [];
  }
}
