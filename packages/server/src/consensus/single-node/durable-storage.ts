import { LictorError, type Logger } from '@lictor/protocol';
import { join } from 'node:path';
import type { LogEntry } from '../../fsm/fsm.ts';
import type { Disk, LogDisk, StoredRecord } from './disk.ts';
import { decodeRecord, encodeRecord } from './record.ts';
import { SnapshotFiles } from './snapshot-file.ts';
import type { Recovered, RecoverySink, Storage } from './storage.ts';

/** Log indexes begin at 1; the record at 0 is about the log itself. */
const META_INDEX = 0;
const FORMAT_VERSION = 1;

interface Meta {
  readonly version: number;
  readonly term: number;
}

/**
 * Log and snapshots under one folder.
 *
 * 1. An entry counts when its record is whole; a damaged record at the very end was never acknowledged (a crash tore it) and is
 *    cut off; damage before an intact record is loss, and the node refuses to start.
 * 2. Two snapshots are kept, and all entries behind the older one: if the newer is damaged the older still leads to the same state.
 */
export class DurableStorage implements Storage {
  readonly #folder: string;
  readonly #disk: Disk;
  readonly #logger: Logger;
  readonly #snapshots: SnapshotFiles;
  readonly #trailingLogs: number;
  #log: LogDisk | undefined;

  constructor(folder: string, trailingLogs: number, ports: { readonly disk: Disk; readonly logger: Logger }) {
    this.#folder = folder;
    this.#trailingLogs = trailingLogs;
    this.#disk = ports.disk;
    this.#logger = ports.logger;
    this.#snapshots = new SnapshotFiles(ports.disk, join(folder, 'snapshots'));
  }

  async open(sink: RecoverySink): Promise<Recovered> {
    const log = await this.#openLog();
    this.#log = log;
    const term = (await this.#readMeta(log)).term + 1;
    const indexes = await this.#snapshots.list();
    const snapshotIndex = await this.#restoreSnapshot(sink, indexes);
    const last = await this.#replay(log, snapshotIndex, sink);
    const needed = indexes.at(-1) ?? 0;
    if (last < needed) throw this.#damaged(`the snapshot at ${needed} is damaged, and the log ends at ${last}`);
    const meta: Meta = { version: FORMAT_VERSION, term };
    await log.append([{ index: META_INDEX, bytes: encodeRecord(META_INDEX, Buffer.from(JSON.stringify(meta))) }]);
    return { term, snapshotIndex };
  }

  append(entries: readonly LogEntry[]): Promise<void> {
    return this.#opened().append(entries.map(({ index, bytes }) => ({ index, bytes: encodeRecord(index, bytes) })));
  }

  async saveSnapshot(index: number, slices: AsyncIterable<Uint8Array>): Promise<void> {
    await this.#snapshots.write(index, slices);
    const oldest = await this.#snapshots.prune();
    const through = Math.min(oldest ?? 0, index - this.#trailingLogs);
    if (through > META_INDEX) await this.#opened().trim(through);
  }

  async replaceAll(index: number, slices: AsyncIterable<Uint8Array>): Promise<void> {
    await this.#snapshots.write(index, slices);
    await this.#snapshots.prune(1);
    await this.#opened().trim(index);
  }

  async close(): Promise<void> {
    await this.#log?.close();
    this.#log = undefined;
  }

  async #openLog(): Promise<LogDisk> {
    const folder = join(this.#folder, 'log');
    try {
      return await this.#disk.openLog(folder);
    } catch (thrown) {
      throw new LictorError('internal', `failed to open the raft log in ${folder}: ${causeOf(thrown)}`, { cause: thrown });
    }
  }

  async #readMeta(log: LogDisk): Promise<Meta> {
    for await (const [record] of this.#read(log, META_INDEX)) {
      if (record?.index !== META_INDEX) break;
      const payload = decodeRecord(META_INDEX, record.bytes);
      if (payload === undefined) throw this.#damaged('its description is damaged');
      const meta = JSON.parse(Buffer.from(payload).toString()) as Meta;
      if (meta.version !== FORMAT_VERSION) throw this.#damaged(`its format version ${meta.version} is not known to this version`);
      return meta;
    }
    return { version: FORMAT_VERSION, term: 0 };
  }

  /** Without an intact one the log may still go back to the first entry. */
  async #restoreSnapshot(sink: RecoverySink, indexes: readonly number[]): Promise<number> {
    for (const index of indexes.toReversed()) {
      if (await sink.restore(index, await this.#snapshots.read(index))) return index;
      this.#logger.error('a snapshot is damaged; trying the one before', { index });
    }
    return 0;
  }

  /** Applies what is behind the snapshot; answers the last index. */
  async #replay(log: LogDisk, snapshotIndex: number, sink: RecoverySink): Promise<number> {
    let last = snapshotIndex;
    let damagedAt: number | undefined;
    for await (const records of this.#read(log, snapshotIndex + 1)) {
      const entries: LogEntry[] = [];
      for (const { index, bytes } of records) {
        const payload = decodeRecord(index, bytes);
        if (payload === undefined) {
          damagedAt ??= index;
          continue;
        }
        if (damagedAt !== undefined) throw this.#damaged(`entry ${damagedAt} is damaged and entry ${index} behind it is not`);
        if (index !== last + 1) throw this.#damaged(`entries ${last + 1} to ${index - 1} are missing`);
        entries.push({ index, bytes: payload });
        last = index;
      }
      sink.replay(entries);
    }
    if (damagedAt !== undefined) {
      this.#logger.warn('the log ends in a torn record, which was never acknowledged: cut off', { index: damagedAt });
      await log.truncate(damagedAt);
    }
    return last;
  }

  async *#read(log: LogDisk, fromIndex: number): AsyncGenerator<readonly StoredRecord[]> {
    try {
      yield* log.read(fromIndex);
    } catch (thrown) {
      throw thrown instanceof LictorError ? thrown : this.#damaged(causeOf(thrown), thrown);
    }
  }

  #opened(): LogDisk {
    if (this.#log === undefined) throw new LictorError('unavailable', 'the log is closed');
    return this.#log;
  }

  #damaged(why: string, cause?: unknown): LictorError {
    const message = `the raft log in ${this.#folder} is damaged: ${why}. Nothing was changed; restore a snapshot into an empty data directory.`;
    return new LictorError('internal', message, { cause });
  }
}

/** LevelDB hides what happened in `cause`. */
function causeOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  return thrown.cause instanceof Error ? `${thrown.message}: ${thrown.cause.message}` : thrown.message;
}
