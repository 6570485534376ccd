import { crc32 } from 'node:zlib';
import type { Entry, HardState, LogStore, StoredLog } from '@lictor/raft';

/** An entry as an observer remembers it. */
export interface MirroredEntry {
  readonly entry: Entry;
  readonly checksum: number;
}

/** One server's log as it was written, and as much of it as was acknowledged. */
export class LogMirror {
  readonly nodeId: string;
  readonly entries = new Map<number, MirroredEntry>();
  lastIndex = 0;
  /** Of the highest entry that its disk has acknowledged. */
  ackedIndex = 0;
  ackedState: HardState = { term: 0, vote: undefined, commit: 0 };
  /** Of snapshots that came from a leader: the log before may be empty. */
  snapshotIndex = 0;

  constructor(nodeId: string) {
    this.nodeId = nodeId;
  }
}

/** What a log promises, seen from its users' side. */
export class LogObserver {
  readonly #mirrors = new Map<string, LogMirror>();
  /** Each entry that was ever written, by index and term: log matching. */
  readonly #known = new Map<string, { readonly checksum: number; readonly previousTerm: number | undefined }>();
  readonly #leaders: ReadonlyMap<number, string>;
  readonly #report: (what: string) => void;

  constructor(leaders: ReadonlyMap<number, string>, report: (what: string) => void) {
    this.#leaders = leaders;
    this.#report = report;
  }

  mirrorOf(nodeId: string): LogMirror {
    const known = this.#mirrors.get(nodeId) ?? new LogMirror(nodeId);
    this.#mirrors.set(nodeId, known);
    return known;
  }

  /** Of a server that knows it to be committed. */
  committedEntry(index: number): MirroredEntry | undefined {
    for (const { ackedState, entries } of this.#mirrors.values()) {
      const entry = ackedState.commit >= index ? entries.get(index) : undefined;
      if (entry !== undefined) return entry;
    }
    return undefined;
  }

  watch(nodeId: string, name: string, isDead: () => boolean, log: LogStore): LogStore {
    const mirror = this.mirrorOf(nodeId);
    return {
      load: async () => {
        const stored = await log.load();
        this.#loaded(mirror, name, stored);
        return stored;
      },
      write: async (batch) => {
        this.#writing(mirror, name, batch);
        await log.write(batch);
        const { hardState, entries } = batch;
        if (isDead()) return;
        mirror.ackedState = hardState ?? mirror.ackedState;
        mirror.ackedIndex = entries.at(-1)?.index ?? mirror.ackedIndex;
      },
      trim: (index) => log.trim(index),
      clear: () => {
        mirror.entries.clear();
        mirror.lastIndex = 0;
        mirror.ackedIndex = 0;
        return log.clear();
      },
      close: () => log.close(),
    };
  }

  #writing(mirror: LogMirror, name: string, { hardState, entries }: Parameters<LogStore['write']>[0]): void {
    const before = mirror.ackedState;
    if (hardState !== undefined) this.#checkState(name, before, hardState);
    const [first] = entries;
    if (first === undefined) return;
    if (first.index <= mirror.lastIndex && this.#leaders.get(first.term) === mirror.nodeId && first.term === (hardState ?? before).term) {
      this.#report(`leader append-only: ${name} overwrites entry ${first.index} in term ${first.term}, which it leads`);
    }
    const last = entries.at(-1)?.index ?? 0;
    for (let index = last + 1; index <= mirror.lastIndex; index++) mirror.entries.delete(index);
    for (const entry of entries) {
      const checksum = crc32(entry.data);
      this.#match(mirror, name, entry, checksum);
      mirror.entries.set(entry.index, { entry, checksum });
    }
    mirror.lastIndex = last;
    mirror.ackedIndex = Math.min(mirror.ackedIndex, first.index - 1);
  }

  #checkState(name: string, before: HardState, { term, vote }: HardState): void {
    // The first entry of a cluster that its server died before it could name: nobody has seen it, and it is thrown away.
    if (before.term === 1 && before.vote === undefined && before.commit === 0 && term === 0) return;
    if (term < before.term) this.#report(`monotone term: ${name} goes back from ${before.term} to ${term}`);
    if (term === before.term && before.vote !== undefined && vote !== before.vote) {
      this.#report(`monotone vote: ${name} votes for ${String(vote)} after ${before.vote} in term ${term}`);
    }
  }

  #match(mirror: LogMirror, name: string, { index, term }: Entry, checksum: number): void {
    const previousTerm = mirror.entries.get(index - 1)?.entry.term;
    const key = `${index}-${term}`;
    const known = this.#known.get(key);
    if (known === undefined) {
      this.#known.set(key, { checksum, previousTerm });
      return;
    }
    const isSamePlace = known.previousTerm === undefined || previousTerm === undefined || known.previousTerm === previousTerm;
    if (known.checksum !== checksum || !isSamePlace) this.#report(`log matching: ${name} has another entry ${index} of term ${term}`);
  }

  /** After a restart: what was acknowledged is there. */
  #loaded(mirror: LogMirror, name: string, { hardState, entries }: StoredLog): void {
    const { ackedState } = mirror;
    this.#checkState(name, ackedState, hardState);
    if (hardState.commit < ackedState.commit)
      this.#report(`monotone commit: ${name} restarts with ${hardState.commit} after ${ackedState.commit}`);
    const last = entries.at(-1)?.index ?? 0;
    // A write under way when it died may have replaced the end by something shorter.
    const isReplaced = entries.some(({ index, term }) => mirror.entries.get(index)?.entry.term !== term);
    if (last < mirror.ackedIndex && !isReplaced && last >= mirror.snapshotIndex) {
      this.#report(`durability: the log of ${name} ends at ${last} after a restart, and ${mirror.ackedIndex} was acknowledged`);
    }
    for (const entry of entries) mirror.entries.set(entry.index, { entry, checksum: crc32(entry.data) });
    mirror.lastIndex = last;
    mirror.ackedIndex = last;
    mirror.ackedState = hardState;
  }
}
