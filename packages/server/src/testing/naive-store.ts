import type { RaftIndex } from '@lictor/protocol';

export interface Item extends RaftIndex {
  readonly Name: string;
  readonly Tags: readonly string[];
}

export type Write = { readonly put: string; readonly tags: readonly string[] } | { readonly remove: string };

/** One row that an entry wrote or removed. */
interface Event {
  readonly index: number;
  readonly key: string;
  readonly before: readonly string[];
  readonly after: readonly string[] | undefined;
}

/** The rules of StateReader, computed from the whole history each time: slow and plain, to hold the real store against. */
export class NaiveStore {
  readonly rows = new Map<string, Item>();
  readonly #events: Event[] = [];
  #reapedThrough = 0;

  apply(index: number, writes: readonly Write[]): void {
    for (const write of writes) {
      const key = 'put' in write ? write.put : write.remove;
      const existing = this.rows.get(key);
      if ('put' in write) {
        this.rows.set(key, { Name: key, Tags: write.tags, CreateIndex: existing?.CreateIndex ?? index, ModifyIndex: index });
        this.#events.push({ index, key, before: existing?.Tags ?? [], after: write.tags });
      } else if (existing !== undefined) {
        this.rows.delete(key);
        this.#events.push({ index, key, before: existing.Tags, after: undefined });
      }
    }
  }

  reap(throughIndex: number): void {
    this.#reapedThrough = Math.max(this.#reapedThrough, throughIndex);
  }

  get(key: string): { row: Item | undefined; index: number } {
    const row = this.rows.get(key);
    return { row, index: atLeastOne(row?.ModifyIndex ?? this.#tableIndex()) };
  }

  scan(prefix: string): { rows: Item[]; index: number } {
    const rows = this.#sorted((row) => row.Name.startsWith(prefix));
    if (prefix === '') return { rows, index: atLeastOne(this.#tableIndex()) };
    const removals = this.#events.filter(
      ({ index, key, after }) => key.startsWith(prefix) && after === undefined && !this.rows.has(key) && index > this.#reapedThrough,
    );
    const highest = Math.max(0, ...rows.map((row) => row.ModifyIndex), ...removals.map(({ index }) => index));
    return { rows, index: atLeastOne(highest === 0 ? this.#tableIndex() : highest) };
  }

  find(tag: string): { rows: Item[]; index: number } {
    const rows = this.#sorted((row) => row.Tags.includes(tag));
    const touching = this.#events.filter(({ before, after }) => before.includes(tag) || after?.includes(tag));
    const index = rows.length > 0 ? Math.max(...touching.map((event) => event.index)) : this.#extinctionIndex();
    return { rows, index: atLeastOne(index) };
  }

  #tableIndex(): number {
    return Math.max(0, ...this.#events.map(({ index }) => index));
  }

  /** Replays membership, and notes when a value lost its last row. */
  #extinctionIndex(): number {
    const members = new Map<string, Set<string>>();
    let extinction = 0;
    for (const { index, key, before, after } of this.#events) {
      for (const tag of new Set(before)) {
        if (after?.includes(tag)) continue;
        const bucket = members.get(tag);
        bucket?.delete(key);
        if (bucket?.size === 0) extinction = index;
      }
      for (const tag of after ?? []) members.set(tag, (members.get(tag) ?? new Set()).add(key));
    }
    return extinction;
  }

  #sorted(keep: (row: Item) => boolean): Item[] {
    return [...this.rows.values()].filter(keep).sort((left, right) => (left.Name < right.Name ? -1 : 1));
  }
}

function atLeastOne(index: number): number {
  return Math.max(1, index);
}
