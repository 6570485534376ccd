import { type Random, randomInteger } from '@lictor/protocol';

/** Choices from a seeded source. */
export class Chooser {
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  pick<T>(options: readonly [T, ...T[]]): T {
    return options[randomInteger(this.#random, options.length)] ?? options[0];
  }

  /** True in `percent` of the cases. */
  chance(percent: number): boolean {
    return this.#random.float() * 100 < percent;
  }

  /** From `low` to `high`, both included. */
  integer(low: number, high: number): number {
    return low + randomInteger(this.#random, high - low + 1);
  }

  /** Each member with an even chance, in its order. */
  some<T>(options: readonly T[]): T[] {
    return options.filter(() => this.chance(50));
  }

  /** The result, or nothing, for optional fields: `...maybe(30, () => ({ Tags: [] }))`. */
  maybe<T extends object>(percent: number, make: () => T): T | Record<string, never> {
    return this.chance(percent) ? make() : {};
  }
}
