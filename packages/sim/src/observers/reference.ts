import { type Clock, type Session, silentLogger, silentMetrics } from '@lictor/protocol';
import type { Entry } from '@lictor/raft';
import { COMMAND_HANDLERS, decodeCommand, Fsm, FsmMachine, sessionsTable, StateStore } from '@lictor/server/internal';
import { KvHistory } from './kv-history.ts';
import type { LogMirror, MirroredEntry } from './log-mirror.ts';
import type { CommittedEntries } from './message-observer.ts';
import { describeState, stateHash } from './state-hash.ts';

/** One applied entry. */
interface Applied {
  readonly logIndex: number;
  readonly term: number;
  readonly hash: number;
}

const RESTORE_TYPE = 'restore.commit';
/** What needs no time takes none: a restore ends in the same event. */
const STANDING_CLOCK: Clock = {
  now: () => 0,
  monotonic: () => 0,
  setTimer: () => {
    throw new Error('the reference has no timers');
  },
};

/**
 * What the state has to be after each index: every entry that any server applies is applied here, one by one, without batches, snapshots or
 * restarts. All servers must agree with it, and so with each other.
 */
export class Reference implements CommittedEntries {
  readonly store = new StateStore();
  readonly history: KvHistory;
  readonly #machine: FsmMachine;
  readonly #byState = new Map<number, Applied>();
  readonly #terms: (number | undefined)[] = [];
  /** The term in which each of them was committed, or a later one: of the first server to apply it. */
  readonly #committedIn: number[] = [];
  /** The last index that was committed in each of these terms. */
  readonly #lastByTerm = new Map<number, number>();
  readonly #values = new Map<string, number>();
  readonly #report: (what: string) => void;
  readonly #nowMs: () => number;
  readonly #committedEntry: (index: number) => MirroredEntry | undefined;
  #logIndex = 0;
  #queue: (() => void | Promise<unknown>)[] = [];
  #isBusy = false;
  commands = 0;

  /** `committedEntry` asks all servers' logs. */
  constructor(nowMs: () => number, report: (what: string) => void, committedEntry: (index: number) => MirroredEntry | undefined) {
    this.#committedEntry = committedEntry;
    this.#nowMs = nowMs;
    this.#report = report;
    this.history = new KvHistory(report);
    const fsm = new Fsm(this.store, COMMAND_HANDLERS, { clock: STANDING_CLOCK, logger: silentLogger, metrics: silentMetrics });
    this.#machine = new FsmMachine(fsm, STANDING_CLOCK);
  }

  /** Of the last command that any server has applied. */
  get stateIndex(): number {
    return this.store.appliedIndex;
  }

  get logIndex(): number {
    return this.#logIndex;
  }

  lastBefore(term: number): number {
    let last = 0;
    for (const [each, index] of this.#lastByTerm) if (each < term && index > last) last = index;
    return last;
  }

  termAt(index: number, term: number): number | undefined {
    return (this.#committedIn[index] ?? Infinity) <= term ? this.#terms[index] : undefined;
  }

  has(stateIndex: number): boolean {
    return this.#byState.has(stateIndex);
  }

  /** Where this value was written; undefined: nowhere. */
  writtenAt(value: string): number | undefined {
    return this.#values.get(value);
  }

  liveSessionsWithTtl(): number {
    let count = 0;
    this.store.table(sessionsTable).rows.forEach('', (row) => {
      if ((row as Session).TTL !== '') count++;
    });
    return count;
  }

  /** A server, in `term`, has applied a batch, or has become a snapshot. Its log is needed for what nobody has applied before. */
  committed(name: string, mirror: LogMirror, store: StateStore, term: number): void {
    const { appliedIndex } = store;
    if (appliedIndex === 0) return;
    const hash = stateHash(store);
    this.#queue.push(() => this.#advance(name, mirror, appliedIndex, term));
    this.#queue.push(() => this.#compare(name, mirror, appliedIndex, hash, () => describeState(store)));
    this.#work();
  }

  #work(): void {
    while (!this.#isBusy) {
      const answer = this.#queue.shift()?.();
      if (answer === undefined) {
        if (this.#queue.length === 0) return;
        continue;
      }
      this.#isBusy = true;
      void answer.finally(() => {
        this.#isBusy = false;
        this.#work();
      });
    }
  }

  #advance(name: string, mirror: LogMirror, stateIndex: number, term: number): void | Promise<unknown> {
    while (this.stateIndex < stateIndex) {
      const next = this.#entryAt(this.#logIndex + 1, mirror);
      if (next === undefined) return this.#report(`state-machine safety: ${name} is at ${stateIndex} without entry ${this.#logIndex + 1}`);
      const answer = this.#apply(next.entry, term);
      if (answer === undefined) continue;
      return answer.then(() => this.#advance(name, mirror, stateIndex, term));
    }
    return undefined;
  }

  /** What is not a command has no part in the state: a server may have a snapshot behind it, and nobody has been there by a command yet. */
  #entryAt(index: number, mirror: LogMirror): MirroredEntry | undefined {
    return mirror.entries.get(index) ?? (index <= mirror.snapshotIndex ? this.#committedEntry(index) : undefined);
  }

  #apply(entry: Entry, term: number): Promise<unknown> | undefined {
    this.#logIndex = entry.index;
    this.#terms[entry.index] = entry.term;
    // 0: a server that is starting, or stopping, does not say.
    const committedIn = term === 0 ? Infinity : term;
    this.#committedIn[entry.index] = committedIn;
    this.#lastByTerm.set(committedIn, entry.index);
    if (entry.kind !== 'command') return undefined;
    this.commands++;
    const isRestore = this.#note(entry);
    const answer = this.#machine.apply([entry]);
    const noteApplied = (): void => {
      const { appliedIndex } = this.store;
      this.#byState.set(appliedIndex, { logIndex: entry.index, term: entry.term, hash: stateHash(this.store) });
      this.history.applied(this.store, appliedIndex, isRestore, this.#nowMs());
    };
    if (answer instanceof Promise) return answer.then(noteApplied);
    noteApplied();
    return undefined;
  }

  /** A client's value is written once at most: nobody repeats a write whose outcome is not known. */
  #note(entry: Entry): boolean {
    const { type, body } = decodeCommand(entry.data);
    for (const value of writtenValues(body)) {
      const before = this.#values.get(value);
      if (before !== undefined) this.#report(`at most once: ${value} was written by entries ${before} and ${entry.index}`);
      this.#values.set(value, entry.index);
    }
    return type === RESTORE_TYPE;
  }

  #compare(name: string, mirror: LogMirror, stateIndex: number, hash: number, describe: () => string): void {
    const applied = this.#byState.get(stateIndex);
    if (applied === undefined) return this.#report(`state-machine safety: ${name} is at ${stateIndex}, where nobody else has been`);
    if (applied.hash !== hash) return this.#report(`state-machine safety: ${name} has another state at ${stateIndex}: ${describe()}`);
    const held = mirror.entries.get(applied.logIndex);
    if (held !== undefined && held.entry.term !== applied.term && applied.logIndex > mirror.snapshotIndex) {
      return this.#report(
        `state-machine safety: ${name} has applied entry ${applied.logIndex} of term ${held.entry.term}, not ${applied.term}`,
      );
    }
    return undefined;
  }
}

function writtenValues(body: unknown): readonly string[] {
  const { entry, operations } = (body ?? {}) as {
    readonly entry?: { readonly Value?: Uint8Array };
    readonly operations?: readonly { readonly KV?: { readonly Value?: Uint8Array } }[];
  };
  const values = entry === undefined ? (Array.isArray(operations) ? operations.map(({ KV }) => KV?.Value) : []) : [entry.Value];
  return values.filter((value) => value !== undefined && value.length > 0).map((value) => Buffer.from(value ?? '').toString('latin1'));
}
