import { silentLogger, silentMetrics } from '@lictor/protocol';
import { FakeClock } from '@lictor/protocol/testing';
import { COMMAND_HANDLERS } from '../fsm/commands/index.ts';
import { encodeCommand } from '../fsm/codec.ts';
import { Fsm } from '../fsm/fsm.ts';
import type { CommandHandlers } from '../fsm/types.ts';
import { StateStore } from '../state/store.ts';
import type { StateReader, StateTxn } from '../state/types.ts';

const TEST_TIME_MS = Date.UTC(2026, 0, 1);

export interface TestStore {
  readonly store: StateStore;
  readonly fsm: Fsm;
  /** Writes in a transaction of its own, at the next index. */
  write<Result>(write: (txn: StateTxn) => Result): Result;
  /** Applies one command through the codec at the next index; throws the LictorError of a failed one. */
  apply<Result>(type: string, body: unknown, timeMs?: number): Result;
  reader(): StateReader;
}

/** A store and its state machine without consensus: what tests of tables, commands and queries need. */
export function createTestStore(handlers: CommandHandlers = COMMAND_HANDLERS, store = new StateStore()): TestStore {
  const fsm = new Fsm(store, handlers, { clock: new FakeClock(), logger: silentLogger, metrics: silentMetrics });
  return {
    store,
    fsm,
    write: <Result>(write: (txn: StateTxn) => Result): Result => {
      const results: Result[] = [];
      store.apply(store.appliedIndex + 1, TEST_TIME_MS, (txn) => {
        results.push(write(txn));
        return true;
      });
      store.commit();
      return results[0] as Result;
    },
    apply: <Result>(type: string, body: unknown, timeMs = TEST_TIME_MS): Result => {
      const bytes = encodeCommand({ type, version: 1, timeMs, body });
      const [outcome] = fsm.apply([{ index: store.appliedIndex + 1, bytes }]);
      if (outcome?.ok !== true) throw outcome?.error ?? new Error('no outcome');
      return outcome.result as Result;
    },
    reader: () => store.reader(),
  };
}
