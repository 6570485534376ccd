import type { Address } from '../swim/index.ts';
import type { SerfEvent } from './effects.ts';
import { NameVote } from './name-vote.ts';

/** Asks the others who has this member's name, when another one claims it. */
export class NameConflicts {
  static readonly query = '_lictor_conflict';
  readonly #own: Address;
  readonly #emit: (event: SerfEvent) => void;
  #question: { readonly id: number; readonly vote: NameVote } | undefined;

  constructor(own: Address, emit: (event: SerfEvent) => void) {
    this.#own = own;
    this.#emit = emit;
  }

  get isAsking(): boolean {
    return this.#question !== undefined;
  }

  begin(id: number): void {
    this.#question = { id, vote: new NameVote(this.#own) };
  }

  /** @returns whether the event was one of this question's */
  heard(event: SerfEvent): boolean {
    const question = this.#question;
    if (question === undefined || !('id' in event) || event.id !== question.id) return false;
    if (event.type === 'response') question.vote.count(new TextDecoder().decode(event.response.payload));
    if (event.type === 'query-done') {
      this.#question = undefined;
      if (question.vote.isLost) this.#emit({ type: 'name-lost' });
    }
    return true;
  }
}
