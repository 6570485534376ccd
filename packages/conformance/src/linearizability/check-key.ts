import { type Configuration, ConfigurationSet } from './configuration.ts';
import type { Operation } from './operation.ts';
import { ABSENT, type RegisterState, step } from './register.ts';

export type KeyVerdict = { readonly linearizable: true } | { readonly linearizable: false; readonly failure: Failure };

/** The shortest prefix of a history that has no linearization: up to the return of `operation`, every shorter one has one. */
export interface Failure {
  readonly operation: Operation;
  /** What was called before that return, by call; with `operation`. */
  readonly prefix: readonly Operation[];
  /** What the key may have held just before. */
  readonly states: readonly RegisterState[];
}

/** Above this a checker that goes on would take minutes and gigabytes: no history of ours comes near. */
const CONFIGURATIONS_MAX = 200_000;

/**
 * Whether the operations on one key are linearizable (Herlihy and Wing 1990), from an absent key. The algorithm is just-in-time
 * linearization: Wing and Gong's search ("Testing and Verifying Concurrent Objects", 1993) in order of time, with Lowe's memoisation of
 * configurations ("Testing for linearizability", 2017, sections 3 and 4). A call takes effect only when a return asks for it, so what is
 * kept at any time is small, and the first return that nothing can explain ends the shortest bad prefix.
 *
 * @throws RangeError when there are more ways to explain the history than a checker can follow
 */
export function checkKey(operations: readonly Operation[]): KeyVerdict {
  const pending = new Pending();
  let configurations: readonly Configuration[] = [{ state: ABSENT, known: 0n, unknown: 0n }];
  for (const event of eventsOf(operations)) {
    if (event.kind === 'call') {
      pending.add(event.operation);
      continue;
    }
    const bit = pending.bitOf(event.operation);
    const next = linearize(configurations, pending, event.operation, bit);
    if (next.length === 0) {
      return { linearizable: false, failure: failureAt(event, operations, configurations) };
    }
    pending.remove(event.operation);
    configurations = next.map(({ state, known, unknown }) => ({ state, known: known & ~bit, unknown }));
  }
  return { linearizable: true };
}

/** Every configuration in which `returning` has taken effect, reached from one before by letting calls under way take effect. */
function linearize(from: readonly Configuration[], pending: Pending, returning: Operation, bit: bigint): Configuration[] {
  const reached = new ConfigurationSet();
  const seen = new ConfigurationSet();
  // In order of how many calls took effect: the ones with fewer come first, and make those with more needless.
  let front = from.filter((configuration) => seen.add(configuration));
  let total = front.length;
  while (front.length > 0) {
    const next: Configuration[] = [];
    for (const configuration of front) {
      if ((configuration.known & bit) !== 0n) {
        reached.add(configuration);
        continue;
      }
      const state = step(configuration.state, returning.call, answerOf(returning));
      if (state !== undefined) reached.add({ state, known: configuration.known | bit, unknown: configuration.unknown });
      for (const further of pending.stepsFrom(configuration, bit)) if (seen.add(further)) next.push(further);
    }
    total += next.length;
    if (total > CONFIGURATIONS_MAX) throw new RangeError(`more than ${CONFIGURATIONS_MAX} explanations for ${returning.key}`);
    front = next;
  }
  return reached.values();
}

/** The calls that have not returned, each with a bit of its own. */
class Pending {
  readonly #known = new Map<Operation, bigint>();
  readonly #unknown = new Map<Operation, bigint>();
  #taken = 0n;

  add(operation: Operation): void {
    if (operation.outcome.status === 'unknown') {
      this.#unknown.set(operation, 1n << BigInt(this.#unknown.size));
      return;
    }
    let bit = 1n;
    while ((this.#taken & bit) !== 0n) bit <<= 1n;
    this.#taken |= bit;
    this.#known.set(operation, bit);
  }

  bitOf(operation: Operation): bigint {
    return this.#known.get(operation) ?? 0n;
  }

  remove(operation: Operation): void {
    this.#taken &= ~this.bitOf(operation);
    this.#known.delete(operation);
  }

  /** What may come next when any one call, but not the one with `exceptBit`, takes effect. */
  *stepsFrom(configuration: Configuration, exceptBit: bigint): Generator<Configuration> {
    const { state, known, unknown } = configuration;
    for (const [operation, bit] of this.#known) {
      if (bit === exceptBit || (known & bit) !== 0n) continue;
      const next = step(state, operation.call, answerOf(operation));
      if (next !== undefined) yield { state: next, known: known | bit, unknown };
    }
    for (const [operation, bit] of this.#unknown) {
      if ((unknown & bit) !== 0n) continue;
      const next = step(state, operation.call, undefined);
      if (next !== undefined) yield { state: next, known, unknown: unknown | bit };
    }
  }
}

interface HistoryEvent {
  readonly kind: 'call' | 'return';
  readonly atMs: number;
  readonly operation: Operation;
}

/** Without what has no effect and tells nothing. Calls before returns at the same time: intervals are closed. */
function eventsOf(operations: readonly Operation[]): HistoryEvent[] {
  const events: HistoryEvent[] = [];
  for (const operation of operations) {
    const { outcome } = operation;
    if (outcome.status === 'failed' || (outcome.status === 'unknown' && operation.call.kind === 'get')) continue;
    events.push({ kind: 'call', atMs: operation.callMs, operation });
    if (outcome.status === 'ok') events.push({ kind: 'return', atMs: outcome.returnMs, operation });
  }
  return events.sort((a, b) => a.atMs - b.atMs || Number(a.kind === 'return') - Number(b.kind === 'return'));
}

function answerOf({ outcome }: Operation): Extract<Operation['outcome'], { status: 'ok' }>['answer'] | undefined {
  return outcome.status === 'ok' ? outcome.answer : undefined;
}

function failureAt({ operation, atMs }: HistoryEvent, all: readonly Operation[], before: readonly Configuration[]): Failure {
  const prefix = all.filter((other) => other.callMs <= atMs && other.outcome.status !== 'failed').toSorted((a, b) => a.callMs - b.callMs);
  const states = new Map(before.map(({ state }) => [JSON.stringify(state), state]));
  return { operation, prefix, states: [...states.values()] };
}
