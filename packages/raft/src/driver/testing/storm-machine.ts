import type { Entry, NodeId, SnapshotMeta } from '../../core/entry.ts';
import { SafetyViolation } from '../../testing/observers.ts';
import type { StateMachine } from '../ports.ts';

/** What any server has ever applied: index and command. One for the whole cluster. */
export class History {
  readonly #commands = new Map<number, string>();

  get(index: number): string | undefined {
    return this.#commands.get(index);
  }

  get size(): number {
    return this.#commands.size;
  }

  /** State-machine safety: at one index everybody applies the same. */
  applied(id: NodeId, index: number, command: string): void {
    const known = this.#commands.get(index);
    if (known === undefined) this.#commands.set(index, command);
    else if (known !== command) throw new SafetyViolation(`${id} applies ${command} at ${index}, where ${known} was applied`);
  }

  /** The indexes of all commands from the first through `index`. */
  through(index: number): readonly number[] {
    return [...this.#commands.keys()].filter((at) => at <= index).sort((a, b) => a - b);
  }
}

/** Remembers the index of each command; whatever is lost, doubled, out of order, or too early in a snapshot, shows at once. */
export class StormMachine implements StateMachine {
  readonly #id: NodeId;
  readonly #history: History;
  indexes: number[] = [];
  /** How long the next commands take; undefined: no time at all. */
  latency: (() => Promise<void> | undefined) | undefined;
  #restoring = false;

  constructor(id: NodeId, history: History) {
    this.#id = id;
    this.#history = history;
  }

  get last(): number {
    return this.indexes.at(-1) ?? 0;
  }

  apply(entries: readonly Entry[]): readonly unknown[] | Promise<readonly unknown[]> {
    const wait = this.latency?.();
    return wait === undefined ? this.#apply(entries) : wait.then(() => this.#apply(entries));
  }

  #apply(entries: readonly Entry[]): readonly unknown[] {
    if (this.#restoring) throw new SafetyViolation(`${this.#id} applies while it restores a snapshot`);
    return entries.map(({ index, data }) => {
      if (index <= this.last) throw new SafetyViolation(`${this.#id} applies ${index} after ${this.last}`);
      this.#history.applied(this.#id, index, Buffer.from(data).toString());
      this.indexes.push(index);
      return this.indexes.length;
    });
  }

  snapshot(): AsyncIterable<Uint8Array> {
    return slicesOf([...this.indexes]);
  }

  async restore(state: AsyncIterable<Uint8Array>, meta: SnapshotMeta): Promise<void> {
    this.#restoring = true;
    const parts: Uint8Array[] = [];
    for await (const part of state) parts.push(Uint8Array.from(part));
    const text = Buffer.concat(parts).toString();
    this.indexes = text === '' ? [] : text.split(' ').slice(0, -1).map(Number);
    this.#restoring = false;
    const expected = this.#history.through(meta.index);
    if (this.indexes.join() !== expected.join()) {
      throw new SafetyViolation(`${this.#id} restores a snapshot at ${meta.index} with other commands than were applied`);
    }
  }
}

async function* slicesOf(indexes: readonly number[]): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < indexes.length; at += 10) {
    await Promise.resolve();
    yield Buffer.from(
      indexes
        .slice(at, at + 10)
        .map((index) => `${index} `)
        .join(''),
    );
  }
}
