import type { RowChange } from './changes.ts';
import type { Dependencies, NamesByGroup } from './types.ts';

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
  readonly #tables = new Registry();
  readonly #keys = new Registries(() => new Registry());
  readonly #values = new Registries(() => new Registry());
  readonly #prefixes = new Registries(() => new PrefixRegistry());
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
    moveNames(this.#tables, before.tables, dependencies.tables, waiter);
    this.#keys.move(before.keys, dependencies.keys, waiter);
    this.#values.move(before.values, dependencies.values, waiter);
    this.#prefixes.move(before.prefixes, dependencies.prefixes, waiter);
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
    for (const { table, key, values } of changes) {
      this.#tables.collect(table, this.#pending);
      this.#keys.get(table)?.collect(key, this.#pending);
      this.#prefixes.get(table)?.collect(key, this.#pending);
      for (const [group, value] of values) this.#values.get(group)?.collect(value, this.#pending);
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
}

/** Takes the waiter out of the names of before that are not named now, and into those that are new. */
function moveNames(registry: NameRegistry, before: ReadonlySet<string>, now: ReadonlySet<string>, waiter: Waiter): void {
  for (const name of now) if (!before.has(name)) registry.add(name, waiter);
  for (const name of before) if (!now.has(name)) registry.remove(name, waiter);
}

interface NameRegistry {
  readonly isEmpty: boolean;
  add(name: string, waiter: Waiter): void;
  remove(name: string, waiter: Waiter): void;
  /** Adds the waiters that a change of `name` concerns. */
  collect(name: string, into: Set<Waiter>): void;
}

/** One registry for each group of names that somebody waits on. */
class Registries {
  readonly #byGroup = new Map<string, NameRegistry>();
  readonly #create: () => NameRegistry;

  constructor(create: () => NameRegistry) {
    this.#create = create;
  }

  get(group: string): NameRegistry | undefined {
    return this.#byGroup.get(group);
  }

  move(before: NamesByGroup, now: NamesByGroup, waiter: Waiter): void {
    for (const [group, names] of now) this.#move(group, before.get(group) ?? NO_NAMES, names, waiter);
    for (const [group, names] of before) if (!now.has(group)) this.#move(group, names, NO_NAMES, waiter);
  }

  #move(group: string, before: ReadonlySet<string>, now: ReadonlySet<string>, waiter: Waiter): void {
    let registry = this.#byGroup.get(group);
    if (registry === undefined) this.#byGroup.set(group, (registry = this.#create()));
    moveNames(registry, before, now, waiter);
    if (registry.isEmpty) this.#byGroup.delete(group);
  }
}

/** Waiters by name. Most names have one waiter, which then needs no set of its own. */
class Registry implements NameRegistry {
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

/** Waits on key prefixes: a change of a key concerns those on every prefix of it. */
class PrefixRegistry implements NameRegistry {
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

  collect(key: string, into: Set<Waiter>): void {
    for (const length of this.#lengths.keys()) {
      if (length <= key.length) this.#byPrefix.collect(length === key.length ? key : key.slice(0, length), into);
    }
  }
}

const NO_NAMES: ReadonlySet<string> = new Set();
const NOTHING: Dependencies = { tables: NO_NAMES, keys: new Map(), values: new Map(), prefixes: new Map() };
