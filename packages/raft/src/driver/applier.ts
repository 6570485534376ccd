import { setImmediate as immediately } from 'node:timers';
import { setImmediate } from 'node:timers/promises';
import type { Clock } from '@lictor/protocol';
import type { Entry } from '../core/entry.ts';
import type { NodeMetrics } from './node-metrics.ts';
import type { StateMachine } from './ports.ts';

/** Entries given to the state machine at once, and after which the time is looked at. */
const SLICE = 128;
/** Applied entries that are kept in the queue at most. */
const DROP_APPLIED = 4096;

export interface ApplierEvents {
  /** In the state machine now; `results` are by position, undefined for what is not a command. */
  applied(entries: readonly Entry[], results: readonly unknown[]): void;
  failed(error: unknown): void;
}

interface ApplierPorts {
  readonly clock: Clock;
  readonly metrics: NodeMetrics;
}

/** Applies in order, some entries at a time, and lets the event loop have its turn in between. */
export class Applier {
  readonly #machine: StateMachine;
  readonly #clock: Clock;
  readonly #metrics: NodeMetrics;
  readonly #turnMs: number;
  readonly #events: ApplierEvents;
  #queue: Entry[] = [];
  #running: Promise<void> | undefined;
  #stopped = false;
  /** Undefined once the event loop has had its turn. */
  #turnStartMs: number | undefined;
  /** When the queue was last begun. */
  #pushedMs = 0;
  /** A command that takes long: the state machine is beyond `applied`, and between no two entries. */
  #applying: Promise<unknown> | undefined;
  applied: number;

  constructor(machine: StateMachine, { clock, metrics }: ApplierPorts, turnMs: number, applied: number, events: ApplierEvents) {
    this.#machine = machine;
    this.#clock = clock;
    this.#metrics = metrics;
    this.#turnMs = turnMs;
    this.applied = applied;
    this.#events = events;
  }

  /** Where the state machine is; while a command takes long, its end to wait for. */
  get position(): number | Promise<unknown> {
    return this.#applying ?? this.applied;
  }

  push(entries: readonly Entry[]): void {
    for (const entry of entries) this.#queue.push(entry);
    if (this.#running !== undefined || this.#stopped) return;
    this.#pushedMs = this.#clock.monotonic();
    this.#running = this.#loop();
  }

  /** Once everything so far is applied. */
  async idle(): Promise<void> {
    await this.#running;
  }

  /** What is queued is not applied any more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #loop(): Promise<void> {
    // The caller goes on first: its effects are in order then.
    await Promise.resolve();
    try {
      let nowMs = this.#clock.monotonic();
      this.#metrics.enqueued(nowMs - this.#pushedMs);
      for (let at = 0; at < this.#queue.length && !this.#stopped; ) {
        while (this.#isTurnOver(nowMs)) {
          await setImmediate();
          nowMs = this.#clock.monotonic();
        }
        const entries = this.#queue.slice(at, at + SLICE);
        at += entries.length;
        const startMs = this.#clock.monotonic();
        const results = this.#apply(entries);
        this.#done(entries, results instanceof Promise ? await this.#finish(results) : results);
        nowMs = this.#clock.monotonic();
        this.#metrics.applied(nowMs - startMs);
        // Under steady load the queue never runs empty.
        if (at >= this.#queue.length || at >= DROP_APPLIED) {
          this.#queue.splice(0, at);
          at = 0;
        }
      }
    } catch (thrown) {
      this.#stopped = true;
      this.#events.failed(thrown);
    } finally {
      this.#running = undefined;
    }
  }

  /**
   * Has applying gone on for long enough since the event loop last had its turn? Not since this loop began: with a log in memory whoever
   * proposes, waits and proposes again needs no turn of the event loop, and would let nobody else have one.
   */
  #isTurnOver(nowMs: number): boolean {
    if (this.#turnStartMs === undefined) {
      this.#turnStartMs = nowMs;
      immediately(() => {
        this.#turnStartMs = undefined;
      });
    }
    return nowMs - this.#turnStartMs >= this.#turnMs;
  }

  #apply(entries: readonly Entry[]): readonly unknown[] | Promise<readonly unknown[]> {
    const commands = entries.filter(({ kind }) => kind === 'command');
    return commands.length === 0 ? [] : this.#machine.apply(commands);
  }

  async #finish<T>(results: Promise<T>): Promise<T> {
    this.#applying = results.catch(() => undefined);
    const finished = await results;
    this.#applying = undefined;
    return finished;
  }

  #done(entries: readonly Entry[], results: readonly unknown[]): void {
    this.applied = entries.at(-1)?.index ?? this.applied;
    let next = 0;
    const byPosition = entries.map(({ kind }) => (kind === 'command' ? results[next++] : undefined));
    this.#events.applied(entries, byPosition);
  }
}
