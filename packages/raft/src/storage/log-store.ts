import type { Entry, HardState } from '../core/entry.ts';
import { RaftError } from '../core/errors.ts';
import type { LogStore, StoredLog } from '../driver/ports.ts';
import type { LogDisk, RecordBatch, StoredRecord } from './log-disk.ts';
import { decodeEntry, decodeLogState, encodeEntry, encodeLogState, type LogState } from './log-record.ts';

const STATE_INDEX = 0;
const FRESH: LogState = { hardState: { term: 0, vote: undefined, commit: 0 }, lastIndex: 0, lastChecksum: 0 };

/**
 * The log on a disk whose batches are atomic.
 *
 * 1. Each batch carries the hard state and where the log ends: entries and what is known of them cannot part.
 * 2. Each record names its predecessor's checksum: what `load` returns was written as one log.
 * 3. After an error nothing more is written: what is on disk is not known any more.
 */
export class DiskLogStore implements LogStore {
  readonly #disk: LogDisk;
  #state: LogState | undefined;
  /** Of the first record on disk; 0: none. */
  #firstIndex = 0;
  /** By index, from `#firstIndex` on: what a record behind a truncation has to name. */
  #checksums: number[] = [];
  #failure: RaftError | undefined;

  constructor(disk: LogDisk) {
    this.#disk = disk;
  }

  async load(): Promise<StoredLog> {
    const entries: Entry[] = [];
    this.#firstIndex = 0;
    this.#checksums = [];
    const state = await this.#run(async () => {
      await this.#disk.open();
      return await this.#readAll(entries);
    });
    this.#state = state;
    return { hardState: state.hardState, entries };
  }

  async write({ hardState, entries }: { readonly hardState: HardState | undefined; readonly entries: readonly Entry[] }): Promise<void> {
    const before = this.#loaded();
    const first = entries[0]?.index;
    if (first !== undefined && before.lastIndex > 0 && (first > before.lastIndex + 1 || first < this.#firstIndex)) {
      throw new RaftError('corrupt', `entries from ${first} do not follow a log from ${this.#firstIndex} to ${before.lastIndex}`);
    }
    const kept = first === undefined || before.lastIndex === 0 ? 0 : first - this.#firstIndex;
    const checksums: number[] = [];
    const puts: StoredRecord[] = [];
    // Behind a trimmed or cleared log the first record has nothing to name.
    let previous = this.#checksums[kept - 1] ?? 0;
    for (const entry of entries) {
      const { bytes, checksum } = encodeEntry(entry, previous);
      puts.push({ index: entry.index, bytes });
      checksums.push(checksum);
      previous = checksum;
    }
    const lastIndex = entries.at(-1)?.index ?? before.lastIndex;
    const lastChecksum = entries.length === 0 ? before.lastChecksum : previous;
    const state: LogState = { hardState: hardState ?? before.hardState, lastIndex, lastChecksum };
    await this.#commit(state, puts, indexes(lastIndex + 1, before.lastIndex));
    if (first === undefined) return;
    if (before.lastIndex === 0) this.#firstIndex = first;
    // Not a copy of what stays: there may be a million of them, and a write is for one entry.
    this.#checksums.length = kept;
    for (const checksum of checksums) this.#checksums.push(checksum);
  }

  async trim(index: number): Promise<void> {
    const { lastIndex } = this.#loaded();
    // The last one stays: the log's end is written down.
    const through = Math.min(index, lastIndex - 1);
    if (this.#firstIndex === 0 || through < this.#firstIndex) return;
    await this.#run(() => this.#disk.removeRange(this.#firstIndex, through));
    this.#checksums.splice(0, through - this.#firstIndex + 1);
    this.#firstIndex = through + 1;
  }

  async clear(): Promise<void> {
    const { hardState, lastIndex } = this.#loaded();
    await this.#commit({ hardState, lastIndex: 0, lastChecksum: 0 }, [], indexes(this.#firstIndex, lastIndex));
    this.#firstIndex = 0;
    this.#checksums = [];
  }

  async close(): Promise<void> {
    this.#state = undefined;
    await this.#disk.close();
  }

  async #commit(state: LogState, puts: readonly StoredRecord[], deletes: readonly number[]): Promise<void> {
    const batch: RecordBatch = { puts: [{ index: STATE_INDEX, bytes: encodeLogState(state) }, ...puts], deletes };
    await this.#run(() => this.#disk.write(batch));
    this.#state = state;
  }

  async #readAll(entries: Entry[]): Promise<LogState> {
    let state: LogState | undefined;
    for await (const records of this.#disk.read()) {
      for (const record of records) {
        if (record.index === STATE_INDEX) state = readState(record);
        else this.#readEntry(record, entries);
      }
    }
    if (state === undefined) {
      if (entries.length > 0) throw new RaftError('corrupt', 'the log has entries and no state');
      return FRESH;
    }
    const { lastIndex, lastChecksum, hardState } = state;
    const last = entries.at(-1);
    if ((last?.index ?? 0) !== lastIndex || (this.#checksums.at(-1) ?? 0) !== lastChecksum) {
      throw new RaftError('corrupt', `the log should end at entry ${lastIndex} and ends at ${last?.index ?? 0}`);
    }
    if ((last?.term ?? 0) > hardState.term) throw new RaftError('corrupt', `entry ${lastIndex} is of a later term than this server`);
    return state;
  }

  #readEntry(record: StoredRecord, entries: Entry[]): void {
    const { index } = record;
    const decoded = decodeEntry(record.bytes);
    if (decoded === undefined || decoded.entry.index !== index) throw new RaftError('corrupt', `entry ${index} is damaged`);
    const before = entries.at(-1);
    if (before !== undefined) {
      if (index !== before.index + 1) throw new RaftError('corrupt', `entries ${before.index + 1} to ${index - 1} are missing`);
      if (decoded.entry.term < before.term) throw new RaftError('corrupt', `entry ${index} is of an earlier term than the one before`);
      if (decoded.previous !== this.#checksums.at(-1))
        throw new RaftError('corrupt', `entry ${index} does not follow entry ${before.index}`);
    } else {
      this.#firstIndex = index;
    }
    entries.push(decoded.entry);
    this.#checksums.push(decoded.checksum);
  }

  #loaded(): LogState {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#state === undefined) throw new RaftError('stopped', 'the log is not open');
    return this.#state;
  }

  async #run<T>(act: () => Promise<T>): Promise<T> {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      return await act();
    } catch (thrown) {
      this.#failure =
        thrown instanceof RaftError ? thrown : new RaftError('storage', `the raft log failed: ${causeOf(thrown)}`, { cause: thrown });
      throw this.#failure;
    }
  }
}

function readState(record: StoredRecord): LogState {
  const state = decodeLogState(record.bytes);
  if (state === undefined) throw new RaftError('corrupt', "the log's own state (record 0) is damaged");
  return state;
}

function indexes(from: number, through: number): number[] {
  return from === 0 || through < from ? [] : Array.from({ length: through - from + 1 }, (_, position) => from + position);
}

/** LevelDB hides what happened in `cause`. */
function causeOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  return thrown.cause instanceof Error ? `${thrown.message}: ${thrown.cause.message}` : thrown.message;
}
