import type { Clock, Logger, Metrics } from '@lictor/protocol';
import { LictorError } from '@lictor/protocol';
import type { StateStore } from '../state/store.ts';
import { decodeCommand } from './codec.ts';
import { type Command, CommandFailure, type CommandHandler, type CommandHandlers, Rollback } from './types.ts';

/** A committed log entry; `bytes` is an encoded `Command`. */
export interface LogEntry {
  readonly index: number;
  readonly bytes: Uint8Array;
}

/** What became of an entry: the handler's result, or the error that its proposer gets. */
export type Outcome = { readonly ok: true; readonly result: unknown } | { readonly ok: false; readonly error: LictorError };

export interface FsmPorts {
  /** Measures only: what a command does never depends on it. */
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** Consul's names (consul-facts M005). Only known types: a metric's name never comes from a log entry. */
const COMMAND_METRICS: ReadonlyMap<string, string> = new Map([
  ['catalog.register', 'fsm.register'],
  ['catalog.deregister', 'fsm.deregister'],
  ['config-entry.apply', 'fsm.config_entry'],
  ['config-entry.delete', 'fsm.config_entry'],
  ['coordinate.batch-update', 'fsm.coordinate.batch-update'],
  ['intention.apply', 'fsm.intention'],
  ['kv.apply', 'fsm.kvs'],
  ['prepared-query.delete', 'fsm.prepared-query'],
  ['prepared-query.set', 'fsm.prepared-query'],
  ['session.create', 'fsm.session'],
  ['session.destroy', 'fsm.session'],
  ['tombstone.reap', 'fsm.tombstone'],
  ['txn.apply', 'fsm.txn'],
]);

/**
 * The state machine: committed entries in, state out.
 *
 * 1. Total and deterministic: whatever an entry holds, every server is left with the same state and the same outcome.
 * 2. An entry that fails, for whatever reason, changes nothing but the applied index.
 */
export class Fsm {
  readonly store: StateStore;
  readonly #handlers: ReadonlyMap<string, CommandHandler<never, unknown>>;
  readonly #clock: FsmPorts['clock'];
  readonly #logger: Logger;
  readonly #metrics: Metrics;

  constructor(store: StateStore, handlers: CommandHandlers, ports: FsmPorts) {
    this.store = store;
    this.#handlers = new Map(Object.entries(handlers));
    this.#clock = ports.clock;
    this.#logger = ports.logger;
    this.#metrics = ports.metrics;
  }

  /** Applies entries that were committed together, then wakes who waited for what they changed. */
  apply(entries: readonly LogEntry[]): Outcome[] {
    const outcomes = entries.map((entry) => this.#applyOne(entry));
    this.store.commit();
    return outcomes;
  }

  #applyOne(entry: LogEntry): Outcome {
    let outcome: Outcome | undefined;
    const startMs = this.#clock.monotonic();
    const command = decodeOrFault(entry.bytes);
    try {
      this.store.apply(entry.index, command instanceof LictorError ? 0 : command.timeMs, (txn) => {
        if (command instanceof LictorError) throw command;
        const result = this.#handler(command)(txn, command.body as never, command.timeMs);
        outcome = outcomeOf(result);
        return !(result instanceof CommandFailure || result instanceof Rollback);
      });
    } catch (thrown) {
      outcome = { ok: false, error: this.#fault(entry, thrown) };
    }
    if (!(command instanceof LictorError)) {
      const metric = COMMAND_METRICS.get(command.type);
      if (metric !== undefined) this.#metrics.addSample(metric, this.#clock.monotonic() - startMs);
    }
    return outcome ?? { ok: true, result: undefined };
  }

  #handler(command: Command): CommandHandler<never, unknown> {
    const handler = command.version === 1 ? this.#handlers.get(command.type) : undefined;
    if (handler !== undefined) return handler;
    // A newer leader in a rolling upgrade may send these: a refusal, never a crash (consul-facts O015).
    throw new LictorError('rejected', `unknown command ${JSON.stringify(command.type)} version ${command.version}`);
  }

  /** Handlers never throw (rule of CommandHandler): what arrives here is a bug or a damaged entry. */
  #fault(entry: LogEntry, thrown: unknown): LictorError {
    if (!(thrown instanceof LictorError && thrown.code === 'rejected')) this.#metrics.incrCounter('fsm.apply_fault');
    this.#logger.error('applying a log entry failed; it changed nothing', { index: entry.index, error: thrown });
    return LictorError.from(thrown);
  }
}

function outcomeOf(result: unknown): Outcome {
  if (result instanceof CommandFailure) return { ok: false, error: new LictorError(result.code, result.message) };
  return { ok: true, result: result instanceof Rollback ? result.result : result };
}

function decodeOrFault(bytes: Uint8Array): Command | LictorError {
  try {
    return decodeCommand(bytes);
  } catch (thrown) {
    return LictorError.from(thrown);
  }
}
