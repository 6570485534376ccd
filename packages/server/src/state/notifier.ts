import { bucketTable, keyBucket, type RowChange, valueBucket } from './changes.ts';
import type { Dependencies } from './types.ts';

/** Called after the batch that changed something the wait depends on, once until the wait is renewed. */
export type Wake = (reason: 'changed' | 'abandoned') => void;

/** A registered wait. */
export interface Waiter {
  readonly wake: Wake;
  dependencies: Dependencies;
  /** Off between being called and `renew`. */
  isArmed: boolean;
}

/**
 * Finds the waits that a change concerns. A wait costs O(its dependencies) to register and to leave, and what differs to renew; a
 * changed row costs one look-up per bucket it is in, and one per distinct length of the prefixes that are waited on, however many
 * wait.
 */
export class Notifier {
  readonly #waiters = new Set<Waiter>();
  readonly #byBucket = new Registry();
  readonly #byTable = new Registry();
  readonly #prefixes = new Map<string, PrefixRegistry>();
  /** How many bucket waits concern each table, so that changes of unwatched tables build no names. */
  readonly #bucketsOfTable = new Map<string, number>();
  #pending = new Set<Waiter>();

  /** Registered waits, armed or not. */
  get size(): number {
    return this.#waiters.size;
  }

  wait(dependencies: Dependencies, wake: Wake): Waiter {
    const waiter: Waiter = { dependencies: NOTHING, wake, isArmed: false };
    this.#waiters.add(waiter);
    this.renew(waiter, dependencies);
    return waiter;
  }

  /** Waits again, for what a new evaluation has read: mostly the same as before, and only the difference costs. */
  renew(waiter: Waiter, dependencies: Dependencies): void {
    const before = waiter.dependencies;
    for (const table of dependencies.tables) if (!before.tables.has(table)) this.#byTable.add(table, waiter);
    for (const table of before.tables) if (!dependencies.tables.has(table)) this.#byTable.remove(table, waiter);
    for (const bucket of dependencies.buckets) if (!before.buckets.has(bucket)) this.#addBucket(bucket, waiter);
    for (const bucket of before.buckets) if (!dependencies.buckets.has(bucket)) this.#removeBucket(bucket, waiter);
    for (const [table, prefixes] of before.prefixes) this.#removePrefixes(table, prefixes, waiter);
    for (const [table, prefixes] of dependencies.prefixes) this.#addPrefixes(table, prefixes, waiter);
    waiter.dependencies = dependencies;
    waiter.isArmed = true;
  }

  /** Idempotent; after it returns the waiter is never called. */
  leave(waiter: Waiter): void {
    if (!this.#waiters.delete(waiter)) return;
    this.#pending.delete(waiter);
    this.renew(waiter, NOTHING);
    waiter.isArmed = false;
  }

  /** Marks the waits that `changes` concern; they are called by `flush`. */
  collect(changes: readonly RowChange[]): void {
    if (this.#waiters.size === 0) return;
    for (const change of changes) {
      this.#byTable.collect(change.table, this.#pending);
      this.#prefixes.get(change.table)?.match(change.key, this.#pending);
      if (!this.#bucketsOfTable.has(change.table)) continue;
      this.#byBucket.collect(keyBucket(change.table, change.key), this.#pending);
      for (const [index, value] of change.values) this.#byBucket.collect(valueBucket(change.table, index, value), this.#pending);
    }
  }

  /** Calls the marked waits. Only after a batch is applied as a whole: nobody sees half of it. */
  flush(): void {
    if (this.#pending.size > 0) this.#wakeAll(this.#pending, 'changed');
  }

  /** The whole state was replaced: indexes may have gone back, so everybody looks again. */
  abandonAll(): void {
    this.#wakeAll(new Set(this.#waiters), 'abandoned');
  }

  #wakeAll(waiters: Set<Waiter>, reason: 'changed' | 'abandoned'): void {
    this.#pending = new Set();
    for (const waiter of waiters) {
      if (!waiter.isArmed) continue;
      waiter.isArmed = false;
      waiter.wake(reason);
    }
  }

  #addBucket(bucket: string, waiter: Waiter): void {
    this.#byBucket.add(bucket, waiter);
    const table = bucketTable(bucket);
    this.#bucketsOfTable.set(table, (this.#bucketsOfTable.get(table) ?? 0) + 1);
  }

  #removeBucket(bucket: string, waiter: Waiter): void {
    this.#byBucket.remove(bucket, waiter);
    const table = bucketTable(bucket);
    const left = (this.#bucketsOfTable.get(table) ?? 0) - 1;
    if (left > 0) this.#bucketsOfTable.set(table, left);
    else this.#bucketsOfTable.delete(table);
  }

  #addPrefixes(table: string, prefixes: ReadonlySet<string>, waiter: Waiter): void {
    let registry = this.#prefixes.get(table);
    if (registry === undefined) this.#prefixes.set(table, (registry = new PrefixRegistry()));
    for (const prefix of prefixes) registry.add(prefix, waiter);
  }

  #removePrefixes(table: string, prefixes: ReadonlySet<string>, waiter: Waiter): void {
    const registry = this.#prefixes.get(table);
    if (registry === undefined) return;
    for (const prefix of prefixes) registry.remove(prefix, waiter);
    if (registry.isEmpty) this.#prefixes.delete(table);
  }
}

/** Waiters by name. Most names have one waiter, which then needs no set of its own. */
class Registry {
  readonly #waiters = new Map<string, Waiter | Set<Waiter>>();

  get isEmpty(): boolean {
    return this.#waiters.size === 0;
  }

  has(name: string): boolean {
    return this.#waiters.has(name);
  }

  add(name: string, waiter: Waiter): void {
    const known = this.#waiters.get(name);
    if (known === undefined) this.#waiters.set(name, waiter);
    else if (known instanceof Set) known.add(waiter);
    else this.#waiters.set(name, new Set([known, waiter]));
  }

  remove(name: string, waiter: Waiter): void {
    const known = this.#waiters.get(name);
    if (known === waiter) this.#waiters.delete(name);
    else if (known instanceof Set && known.delete(waiter) && known.size === 0) this.#waiters.delete(name);
  }

  collect(name: string, into: Set<Waiter>): void {
    const known = this.#waiters.get(name);
    if (known === undefined) return;
    if (known instanceof Set) for (const waiter of known) into.add(waiter);
    else into.add(known);
  }
}

/** Waits on the key prefixes of one table. */
class PrefixRegistry {
  readonly #byPrefix = new Registry();
  /** How many distinct prefixes have each length. */
  readonly #lengths = new Map<number, number>();

  get isEmpty(): boolean {
    return this.#byPrefix.isEmpty;
  }

  add(prefix: string, waiter: Waiter): void {
    if (!this.#byPrefix.has(prefix)) this.#lengths.set(prefix.length, (this.#lengths.get(prefix.length) ?? 0) + 1);
    this.#byPrefix.add(prefix, waiter);
  }

  remove(prefix: string, waiter: Waiter): void {
    this.#byPrefix.remove(prefix, waiter);
    if (this.#byPrefix.has(prefix)) return;
    const left = (this.#lengths.get(prefix.length) ?? 0) - 1;
    if (left > 0) this.#lengths.set(prefix.length, left);
    else this.#lengths.delete(prefix.length);
  }

  match(key: string, found: Set<Waiter>): void {
    for (const length of this.#lengths.keys()) {
      if (length <= key.length) this.#byPrefix.collect(length === key.length ? key : key.slice(0, length), found);
    }
  }
}

const NOTHING: Dependencies = { tables: new Set(), buckets: new Set(), prefixes: new Map() };
