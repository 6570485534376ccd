import type { Entry, SnapshotMeta } from '../../core/entry.ts';
import type { StateMachine } from '../ports.ts';

/** A list of all commands: whatever is lost, doubled or out of order shows. */
export class ListMachine implements StateMachine {
  commands: string[] = [];
  /** Of the snapshot that it was last restored from. */
  restoredFrom: SnapshotMeta | undefined;
  /** A command that takes so long: what comes with it has half happened meanwhile. */
  gate: Promise<void> | undefined;

  apply(entries: readonly Entry[]): readonly unknown[] | Promise<readonly unknown[]> {
    const [first, ...rest] = entries.map(({ data }) => Buffer.from(data).toString());
    const results = [this.commands.push(first ?? '')];
    const others = (): number[] => rest.map((command) => this.commands.push(command));
    return this.gate === undefined ? [...results, ...others()] : this.gate.then(() => [...results, ...others()]);
  }

  snapshot(): AsyncIterable<Uint8Array> {
    return slicesOf([...this.commands]);
  }

  async restore(state: AsyncIterable<Uint8Array>, meta: SnapshotMeta): Promise<void> {
    const parts: Uint8Array[] = [];
    for await (const part of state) parts.push(Uint8Array.from(part));
    this.commands = Buffer.concat(parts).toString().split('\n').slice(0, -1);
    this.restoredFrom = meta;
  }
}

async function* slicesOf(commands: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const command of commands) {
    await Promise.resolve();
    yield Buffer.from(`${command}\n`);
  }
}
