import BTreeModule from 'sorted-btree';

type BTreeOf<V> = InstanceType<typeof BTreeModule.default<string, V>>;
/** The package is CommonJS: under Node its class is the `default` of the default import, under bundlers and vitest the import itself. */
const BTree = (typeof (BTreeModule as unknown) === 'function' ? BTreeModule : BTreeModule.default) as typeof BTreeModule.default;

/** Node size: larger nodes scan faster, smaller ones copy faster after a clone. */
const MAX_NODE_SIZE = 32;

/**
 * A map from strings to values in key order (UTF-16 code units), cloned in O(1): the clone and the original share nodes, and
 * whichever writes first copies the nodes on its path.
 */
export class OrderedMap<V> {
  #tree: BTreeOf<V>;

  constructor(tree?: BTreeOf<V>) {
    this.#tree = tree ?? new BTree<string, V>(undefined, compareKeys, MAX_NODE_SIZE);
  }

  get size(): number {
    return this.#tree.size;
  }

  get(key: string): V | undefined {
    return this.#tree.get(key);
  }

  set(key: string, value: V): void {
    this.#tree.set(key, value);
  }

  /** False when there was no such key. */
  delete(key: string): boolean {
    return this.#tree.delete(key);
  }

  clone(): OrderedMap<V> {
    return new OrderedMap(this.#tree.clone());
  }

  /** In key order, every key that starts with `prefix`. The map must not change meanwhile. */
  forEach(prefix: string, visit: (value: V, key: string) => void): void {
    if (prefix === '') {
      this.#tree.forEach(visit);
      return;
    }
    const end = prefixEnd(prefix);
    if (end !== undefined) {
      this.#tree.forRange(prefix, end, false, (key, value) => visit(value, key));
      return;
    }
    for (const [key, value] of this.#tree.entries(prefix)) {
      if (!key.startsWith(prefix)) return;
      visit(value, key);
    }
  }

  /** Entries from `firstKey` on, in order; for reading a map in slices. */
  entries(firstKey = ''): IterableIterator<[string, V]> {
    return this.#tree.entries(firstKey);
  }
}

/** By code unit. `localeCompare` would be slower, and would differ between machines. */
function compareKeys(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

/** The least string above every string that starts with `prefix`; undefined when there is none. */
function prefixEnd(prefix: string): string | undefined {
  const lastUnit = prefix.charCodeAt(prefix.length - 1);
  if (lastUnit === 0xffff) return undefined;
  return prefix.slice(0, -1) + String.fromCharCode(lastUnit + 1);
}
