import type { Entry } from '../core/entry.ts';
import { RaftError } from '../core/errors.ts';

export interface Applied {
  readonly index: number;
  /** Of the state machine. */
  readonly result: unknown;
}

export interface Waiter<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: Error) => void;
}

interface Proposal extends Waiter<Applied> {
  readonly term: number;
}

/** Those who wait for what they have proposed, by index. */
export class Proposals {
  readonly #waiting = new Map<number, Proposal>();

  add(index: number, term: number, { resolve, reject }: Waiter<Applied>): void {
    this.#waiting.set(index, { term, resolve, reject });
  }

  applied({ index, term }: Entry, result: unknown): void {
    const proposal = this.#waiting.get(index);
    if (proposal === undefined) return;
    this.#waiting.delete(index);
    if (proposal.term === term) proposal.resolve({ index, result });
    else proposal.reject(new RaftError('not-leader', 'another leader has put something else in its place'));
  }

  /** Not the leader of `term` any more: nobody will say what becomes of what is not known to be committed. */
  leadershipLost(term: number | undefined, committed: number): void {
    for (const [index, proposal] of this.#waiting) {
      if (proposal.term === term || index <= committed) continue;
      this.#waiting.delete(index);
      proposal.reject(unknownOutcome('leadership was lost'));
    }
  }

  /** A snapshot has taken the place of the entries through `index`: their results are nowhere. */
  skippedTo(index: number): void {
    for (const [at, proposal] of this.#waiting) {
      if (at > index) continue;
      this.#waiting.delete(at);
      proposal.reject(unknownOutcome('a snapshot has replaced the log'));
    }
  }

  failAll(why: string): void {
    for (const { reject } of this.#waiting.values()) reject(unknownOutcome(why));
    this.#waiting.clear();
  }
}

/** Those who wait until an index is applied. */
export class IndexWaiters {
  #waiting: (Waiter<void> & { readonly index: number })[] = [];

  add(index: number, { resolve, reject }: Waiter<void>): void {
    this.#waiting.push({ index, resolve, reject });
  }

  applied(through: number): void {
    if (this.#waiting.length === 0) return;
    const reached = this.#waiting.filter(({ index }) => index <= through);
    this.#waiting = this.#waiting.filter(({ index }) => index > through);
    for (const { resolve } of reached) resolve();
  }

  failAll(error: Error): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { reject } of waiting) reject(error);
  }
}

export function unknownOutcome(why: string): RaftError {
  return new RaftError('outcome-unknown', `${why} before the outcome was known; it may still be committed`);
}
