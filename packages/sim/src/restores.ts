import type { Random } from '@lictor/protocol';
import { silentLogger, silentMetrics } from '@lictor/protocol';
import { COMMAND_HANDLERS, encodeCommand, encodeSnapshot, Fsm, StateStore } from '@lictor/server/internal';
import { KEYS } from './clients/kv-client.ts';
import type { ServerProcess } from './cluster/process.ts';
import type { Answers } from './observers/answers.ts';
import type { Scheduler } from './time/scheduler.ts';

/** Indexes of the other cluster: higher than the simulated one ever gets by itself. */
const FOREIGN_INDEX = 100_000;

/** An operator who saves the state, and puts it back later, or that of another cluster. */
export class Restores {
  readonly #scheduler: Scheduler;
  readonly #random: Random;
  readonly #answers: Answers;
  #saved: Uint8Array | undefined;

  constructor(scheduler: Scheduler, random: Random, answers: Answers) {
    this.#scheduler = scheduler;
    this.#random = random;
    this.#answers = answers;
  }

  restore(leader: ServerProcess): void {
    const { consensus, store } = leader.server;
    const saved = this.#saved;
    this.#saved = bytesOf(store);
    const state = this.#random.float() < 0.5 || saved === undefined ? foreignState() : saved;
    this.#scheduler.note('restore', leader.machine.name, state.length);
    this.#scheduler.at(0, leader, () => {
      consensus.restore(state).then(
        (index) => {
          this.#scheduler.note('restored', index);
          this.#answers.acknowledge(index, 'restore');
        },
        () => this.#scheduler.note('not restored'),
      );
    });
  }
}

function foreignState(): Uint8Array {
  const store = new StateStore();
  const fsm = new Fsm(store, COMMAND_HANDLERS, { clock: { monotonic: () => 0 }, logger: silentLogger, metrics: silentMetrics });
  const entries = KEYS.slice(0, 3).map((Key, position) => ({
    index: FOREIGN_INDEX + position,
    bytes: encodeCommand({
      type: 'kv.apply',
      version: 1,
      timeMs: 0,
      body: { operation: 'set', entry: { Key, Value: Buffer.from(`foreign ${position}`), Flags: 0, Session: '', ModifyIndex: 0 } },
    }),
  }));
  fsm.apply(entries);
  return bytesOf(store);
}

function bytesOf(store: StateStore): Uint8Array {
  return Buffer.concat([...encodeSnapshot(store.snapshot())]);
}
