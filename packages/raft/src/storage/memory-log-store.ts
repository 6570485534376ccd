import type { Entry, HardState } from '../core/entry.ts';
import { RaftError } from '../core/errors.ts';
import type { LogStore, StoredLog } from '../driver/ports.ts';

/** A log that is gone with the process: for a development server, alone in its cluster. `write` resolves in a microtask. */
export class MemoryLogStore implements LogStore {
  #hardState: HardState = { term: 0, vote: undefined, commit: 0 };
  /** Contiguous. */
  #entries: Entry[] = [];

  load(): Promise<StoredLog> {
    return Promise.resolve({ hardState: this.#hardState, entries: [...this.#entries] });
  }

  write({ hardState, entries }: { readonly hardState: HardState | undefined; readonly entries: readonly Entry[] }): Promise<void> {
    const first = entries[0]?.index;
    const begin = this.#entries[0]?.index;
    if (first !== undefined && begin !== undefined) {
      if (first < begin || first > begin + this.#entries.length) {
        const last = begin + this.#entries.length - 1;
        return Promise.reject(new RaftError('corrupt', `entries from ${first} do not follow a log from ${begin} to ${last}`));
      }
      this.#entries.length = first - begin;
    }
    for (const entry of entries) this.#entries.push(entry);
    this.#hardState = hardState ?? this.#hardState;
    return Promise.resolve();
  }

  /** The last one stays, as on disk. */
  trim(index: number): Promise<void> {
    const begin = this.#entries[0]?.index ?? 0;
    const count = Math.min(index - begin + 1, this.#entries.length - 1);
    if (count > 0) this.#entries.splice(0, count);
    return Promise.resolve();
  }

  clear(): Promise<void> {
    this.#entries = [];
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
