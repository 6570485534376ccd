import { LictorError, type Clock, type Timer } from '@lictor/protocol';
import type { Waiter } from '../state/notifier.ts';
import type { StateStore } from '../state/store.ts';
import type { TableReader } from '../state/reader.ts';

/** What one run of a query gave. */
export interface Evaluation {
  readonly index: number;
  readonly value: unknown;
  readonly resultsFilteredByAcls: boolean;
}

/** Runs a query over a reader that notes what it read. */
export type Evaluate = (reader: TableReader) => Evaluation;

export interface BlockOptions {
  readonly minIndex: number;
  readonly waitMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** Answers kept for queries that nobody is blocked on, and the rows that they were made of in all. */
const MAX_IDLE_ANSWERS = 512;
const MAX_IDLE_ROWS = 500_000;
/** Keys of queries asked once: only the second call is worth keeping an answer for. */
const MAX_SEEN_KEYS = 4096;
/** How long one turn of the event loop may re-evaluate, ms, and how many callers it may answer. */
const TURN_MS = 5;
const TURN_ANSWERS = 512;

interface Caller {
  minIndex: number;
  readonly resolve: (evaluation: Evaluation) => void;
  readonly reject: (error: LictorError) => void;
  timer: Timer | undefined;
  unsubscribe: (() => void) | undefined;
}

/** One query with its last answer, which is current while `waiter` is armed. */
interface SharedQuery {
  readonly key: string;
  readonly evaluate: Evaluate;
  readonly callers: Set<Caller>;
  evaluation: Evaluation;
  /** Rows that the evaluation read. */
  rows: number;
  waiter: Waiter | undefined;
}

/**
 * Identical queries share one evaluation, blocked ones as well as plain ones.
 *
 * 1. An answer is current until something that its query read has changed; the notifier tells.
 * 2. Nothing is re-evaluated for nobody: without blocked callers a changed answer is dropped.
 * 3. A caller that goes, by answer, timeout or signal, leaves nothing behind.
 */
export class SharedQueries {
  readonly #store: StateStore;
  readonly #clock: Clock;
  readonly #queries = new Map<string, SharedQuery>();
  /** Those of them that nobody is blocked on, least recently used first. */
  readonly #idle = new Set<SharedQuery>();
  #idleRows = 0;
  readonly #seen = new Set<string>();
  /** Changed, and to be evaluated again, in the order of change. */
  readonly #dirty = new Set<SharedQuery>();
  #answers: (() => void)[] = [];
  #isScheduled = false;
  #closed: LictorError | undefined;
  #blocked = 0;

  constructor(store: StateStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** Callers that wait now. */
  get blocked(): number {
    return this.#blocked;
  }

  /** Queries with a current answer, waited on or not. */
  get size(): number {
    return this.#queries.size;
  }

  /** The answer as of now, from an earlier evaluation when nothing changed since. */
  read(key: string, evaluate: Evaluate): Evaluation {
    const known = this.#queries.get(key);
    if (known?.waiter?.isArmed) {
      this.#touch(known);
      return known.evaluation;
    }
    if (known === undefined && !this.#wasSeen(key)) return evaluate(this.#store.reader());
    return this.#current(key, evaluate).evaluation;
  }

  /** Resolves when the answer's index passes `minIndex`, or with the answer as it is after `waitMs`. */
  block(key: string, evaluate: Evaluate, options: BlockOptions): Promise<Evaluation> {
    const { minIndex, waitMs, signal } = options;
    if (this.#closed !== undefined) return Promise.reject(this.#closed);
    if (signal?.aborted) return Promise.reject(cancelled());
    let query: SharedQuery;
    try {
      query = this.#current(key, evaluate);
    } catch (thrown) {
      return Promise.reject(LictorError.from(thrown));
    }
    if (query.evaluation.index > minIndex) return Promise.resolve(query.evaluation);
    return new Promise((resolve, reject) => {
      const caller: Caller = { minIndex, resolve, reject, timer: undefined, unsubscribe: undefined };
      caller.timer = this.#clock.setTimer(waitMs, () => this.#timeOut(query, caller));
      if (signal !== undefined) {
        const onAbort = (): void => {
          this.#remove(query, caller);
          reject(cancelled());
        };
        signal.addEventListener('abort', onAbort, { once: true });
        caller.unsubscribe = () => signal.removeEventListener('abort', onAbort);
      }
      query.callers.add(caller);
      this.#unrest(query);
      this.#blocked++;
    });
  }

  /** Fails everybody who waits, now and from now on, and forgets every answer. */
  close(error: LictorError): void {
    this.#closed = error;
    for (const answer of this.#answers.splice(0)) answer();
    for (const query of this.#queries.values()) {
      for (const caller of query.callers) {
        this.#release(caller);
        caller.reject(error);
      }
      query.callers.clear();
      if (query.waiter !== undefined) this.#store.notifier.leave(query.waiter);
    }
    this.#queries.clear();
    this.#idle.clear();
    this.#idleRows = 0;
    this.#dirty.clear();
    this.#seen.clear();
  }

  #current(key: string, evaluate: Evaluate): SharedQuery {
    const known = this.#queries.get(key);
    if (known?.waiter?.isArmed) {
      this.#touch(known);
      return known;
    }
    if (known !== undefined) {
      this.#evaluate(known);
      return known;
    }
    const query: SharedQuery = { key, evaluate, callers: new Set(), evaluation: UNEVALUATED, rows: 0, waiter: undefined };
    this.#evaluate(query);
    this.#queries.set(key, query);
    this.#rest(query);
    return query;
  }

  #evaluate(query: SharedQuery): void {
    const reader = this.#store.reader();
    query.evaluation = query.evaluate(reader);
    query.rows = reader.rowsRead;
    const { notifier } = this.#store;
    if (query.waiter === undefined) query.waiter = notifier.wait(reader.dependencies(), (reason) => this.#onWake(query, reason));
    else notifier.renew(query.waiter, reader.dependencies());
  }

  #onWake(query: SharedQuery, reason: 'changed' | 'abandoned'): void {
    if (query.callers.size === 0) return this.#forget(query);
    // After a restore indexes may have gone back: the callers get the answer whatever its index is.
    if (reason === 'abandoned') for (const caller of query.callers) caller.minIndex = -1;
    this.#dirty.add(query);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    // After the writers' own answers, and once for all batches of this turn.
    queueMicrotask(() => this.#turn());
  }

  /** Answers first, evaluates then, and leaves what is over to the next turn. */
  #turn(): void {
    const deadlineMs = this.#clock.monotonic() + TURN_MS;
    let answersLeft = TURN_ANSWERS;
    do {
      const due = this.#answers.splice(0, answersLeft);
      answersLeft -= due.length;
      for (const answer of due) answer();
      if (answersLeft === 0) break;
      const [query] = this.#dirty;
      if (query === undefined) continue;
      this.#dirty.delete(query);
      this.#reevaluate(query);
    } while (this.#hasWork && this.#clock.monotonic() < deadlineMs);
    this.#isScheduled = this.#hasWork;
    if (this.#isScheduled) this.#clock.setTimer(0, () => this.#turn());
  }

  get #hasWork(): boolean {
    return this.#dirty.size > 0 || this.#answers.length > 0;
  }

  #reevaluate(query: SharedQuery): void {
    if (query.callers.size === 0) return;
    try {
      if (!query.waiter?.isArmed) this.#evaluate(query);
    } catch (thrown) {
      this.#answerAll(query, query.callers, (caller) => caller.reject(LictorError.from(thrown)));
      this.#forget(query);
      return;
    }
    const { evaluation } = query;
    const due = [...query.callers].filter((caller) => evaluation.index > caller.minIndex);
    this.#answerAll(query, due, (caller) => caller.resolve(evaluation));
    if (query.callers.size === 0) this.#rest(query);
  }

  #answerAll(query: SharedQuery, callers: Iterable<Caller>, answer: (caller: Caller) => void): void {
    for (const caller of callers) {
      query.callers.delete(caller);
      this.#release(caller);
      this.#answers.push(() => answer(caller));
    }
  }

  #timeOut(query: SharedQuery, caller: Caller): void {
    if (!query.callers.has(caller)) return;
    // After a change that was not yet looked at, and when the caller knows a higher index than the answer has: the label of an
    // empty answer moves with others (types.ts), and no caller should see it go back.
    if (!query.waiter?.isArmed || query.evaluation.index < caller.minIndex) this.#evaluateFor(query, caller);
    else caller.resolve(query.evaluation);
    this.#remove(query, caller);
  }

  #evaluateFor(query: SharedQuery, caller: Caller): void {
    try {
      this.#evaluate(query);
      caller.resolve(query.evaluation);
    } catch (thrown) {
      caller.reject(LictorError.from(thrown));
    }
  }

  #remove(query: SharedQuery, caller: Caller): void {
    if (query.callers.delete(caller)) this.#release(caller);
    if (query.callers.size > 0) return;
    if (query.waiter?.isArmed) this.#rest(query);
    else this.#forget(query);
  }

  #release(caller: Caller): void {
    this.#blocked--;
    caller.timer?.cancel();
    caller.unsubscribe?.();
  }

  #wasSeen(key: string): boolean {
    if (this.#seen.has(key)) return true;
    if (this.#seen.size >= MAX_SEEN_KEYS) this.#seen.clear();
    this.#seen.add(key);
    return false;
  }

  #touch(query: SharedQuery): void {
    if (this.#idle.delete(query)) this.#idle.add(query);
  }

  /** Keeps an answer that nobody is blocked on, for the next caller; those unused for longest make room. */
  #rest(query: SharedQuery): void {
    if (this.#idle.has(query)) return;
    this.#idle.add(query);
    this.#idleRows += query.rows;
    for (const oldest of this.#idle) {
      const fits = this.#idle.size <= MAX_IDLE_ANSWERS && this.#idleRows <= MAX_IDLE_ROWS;
      // The newest stays: its caller may be about to wait on it.
      if (fits || oldest === query) return;
      this.#forget(oldest);
    }
  }

  #unrest(query: SharedQuery): void {
    if (this.#idle.delete(query)) this.#idleRows -= query.rows;
  }

  #forget(query: SharedQuery): void {
    if (query.waiter !== undefined) this.#store.notifier.leave(query.waiter);
    query.waiter = undefined;
    this.#unrest(query);
    if (this.#queries.get(query.key) === query) this.#queries.delete(query.key);
  }
}

const UNEVALUATED: Evaluation = { index: 0, value: undefined, resultsFilteredByAcls: false };

function cancelled(): LictorError {
  return new LictorError('cancelled', 'request cancelled');
}
