import type { Address } from '../swim/index.ts';

/** Votes of the others on who has a name: those who know this member's address, and those who know another one. */
export class NameVote {
  readonly #own: Address;
  #forOwn = 0;
  #total = 0;

  constructor(own: Address) {
    this.#own = own;
  }

  count(address: string): void {
    this.#total++;
    if (address === this.#own) this.#forOwn++;
  }

  /** Without a majority for it the name is another's. Nobody's answer decides nothing. */
  get isLost(): boolean {
    return this.#total > 0 && this.#forOwn < Math.floor(this.#total / 2) + 1;
  }
}
