import { bucketTable, keyBucket, type RowChange, valueBucket } from './changes.ts';
import type { Dependencies } from './types.ts';

/** Called once, after the batch that changed something it depends on; it has then left the notifier. */
export type Wake = (reason: 'changed' | 'abandoned') => void;

/** A registered wait. */
export interface Waiter {
  readonly dependencies: Dependencies;
  readonly wake: Wake;
}

/**
 * Finds the waits that a change concerns. A wait costs O(its dependencies) to register and to leave; a changed row costs one
 * look-up per bucket it is in, and one per distinct length of the prefixes that are waited on, however many wait.
 */
export class Notifier {
  readonly #waiters = new Set<Waiter>();
  readonly #byBucket = new Map<string, Set<Waiter>>();
  readonly #byTable = new Map<string, Set<Waiter>>();
  readonly #prefixes = new Map<string, PrefixWaiters>();
  /** How many bucket waits concern each table, so that changes of unwatched tables build no names. */
  readonly #bucketsOfTable = new Map<string, number>();
  #pending = new Set<Waiter>();

  get size(): number {
    return this.#waiters.size;
  }

  wait(dependencies: Dependencies, wake: Wake): Waiter {
    const waiter: Waiter = { dependencies, wake };
    this.#waiters.add(waiter);
    for (const table of dependencies.tables) addTo(this.#byTable, table, waiter);
    for (const bucket of dependencies.buckets) {
      addTo(this.#byBucket, bucket, waiter);
      const table = bucketTable(bucket);
      this.#bucketsOfTable.set(table, (this.#bucketsOfTable.get(table) ?? 0) + 1);
    }
    for (const [table, prefixes] of dependencies.prefixes) {
      let waiting = this.#prefixes.get(table);
      if (waiting === undefined) this.#prefixes.set(table, (waiting = new PrefixWaiters()));
      for (const prefix of prefixes) waiting.add(prefix, waiter);
    }
    return waiter;
  }

  /** Idempotent; after it returns the waiter is never called. */
  leave(waiter: Waiter): void {
    if (!this.#waiters.delete(waiter)) return;
    this.#pending.delete(waiter);
    const { tables, buckets, prefixes } = waiter.dependencies;
    for (const table of tables) removeFrom(this.#byTable, table, waiter);
    for (const bucket of buckets) {
      removeFrom(this.#byBucket, bucket, waiter);
      const table = bucketTable(bucket);
      const left = (this.#bucketsOfTable.get(table) ?? 0) - 1;
      if (left > 0) this.#bucketsOfTable.set(table, left);
      else this.#bucketsOfTable.delete(table);
    }
    for (const [table, names] of prefixes) {
      const waiting = this.#prefixes.get(table);
      if (waiting === undefined) continue;
      for (const prefix of names) waiting.remove(prefix, waiter);
      if (waiting.isEmpty) this.#prefixes.delete(table);
    }
  }

  /** Marks the waits that `changes` concern; they are called by `flush`. */
  collect(changes: readonly RowChange[]): void {
    if (this.#waiters.size === 0) return;
    for (const change of changes) {
      this.#mark(this.#byTable.get(change.table));
      this.#prefixes.get(change.table)?.match(change.key, this.#pending);
      if (!this.#bucketsOfTable.has(change.table)) continue;
      this.#mark(this.#byBucket.get(keyBucket(change.table, change.key)));
      for (const [index, value] of change.values) this.#mark(this.#byBucket.get(valueBucket(change.table, index, value)));
    }
  }

  /** Calls the marked waits. Only after a batch is applied as a whole: nobody sees half of it. */
  flush(): void {
    if (this.#pending.size === 0) return;
    this.#wakeAll(this.#pending, 'changed');
  }

  /** The whole state was replaced: indexes may have gone back, so everybody looks again. */
  abandonAll(): void {
    this.#wakeAll(new Set(this.#waiters), 'abandoned');
  }

  #wakeAll(waiters: Set<Waiter>, reason: 'changed' | 'abandoned'): void {
    this.#pending = new Set();
    for (const waiter of waiters) {
      if (!this.#waiters.has(waiter)) continue;
      this.leave(waiter);
      waiter.wake(reason);
    }
  }

  #mark(waiters: Set<Waiter> | undefined): void {
    if (waiters === undefined) return;
    for (const waiter of waiters) this.#pending.add(waiter);
  }
}

/** Waits on the key prefixes of one table. */
class PrefixWaiters {
  readonly #byPrefix = new Map<string, Set<Waiter>>();
  /** How many distinct prefixes have each length. */
  readonly #lengths = new Map<number, number>();

  get isEmpty(): boolean {
    return this.#byPrefix.size === 0;
  }

  add(prefix: string, waiter: Waiter): void {
    if (!this.#byPrefix.has(prefix)) this.#lengths.set(prefix.length, (this.#lengths.get(prefix.length) ?? 0) + 1);
    addTo(this.#byPrefix, prefix, waiter);
  }

  remove(prefix: string, waiter: Waiter): void {
    removeFrom(this.#byPrefix, prefix, waiter);
    if (this.#byPrefix.has(prefix)) return;
    const left = (this.#lengths.get(prefix.length) ?? 0) - 1;
    if (left > 0) this.#lengths.set(prefix.length, left);
    else this.#lengths.delete(prefix.length);
  }

  match(key: string, found: Set<Waiter>): void {
    for (const length of this.#lengths.keys()) {
      if (length > key.length) continue;
      const waiters = this.#byPrefix.get(length === key.length ? key : key.slice(0, length));
      if (waiters !== undefined) for (const waiter of waiters) found.add(waiter);
    }
  }
}

function addTo(map: Map<string, Set<Waiter>>, key: string, waiter: Waiter): void {
  const waiters = map.get(key);
  if (waiters === undefined) map.set(key, new Set([waiter]));
  else waiters.add(waiter);
}

function removeFrom(map: Map<string, Set<Waiter>>, key: string, waiter: Waiter): void {
  const waiters = map.get(key);
  if (waiters === undefined) return;
  waiters.delete(waiter);
  if (waiters.size === 0) map.delete(key);
}
