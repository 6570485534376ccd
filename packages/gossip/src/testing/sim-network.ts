import { type Random, randomInteger } from '@lictor/protocol';
import type { Address } from '../swim/index.ts';
import type { VirtualTime } from './virtual-time.ts';

export interface NetworkOptions {
  /** Of each datagram, to be lost. */
  readonly lossRate: number;
  /** Of each datagram, to come seconds later. */
  readonly lateRate: number;
  readonly minDelayMs: number;
  readonly maxDelayMs: number;
}

export const FAST_NETWORK: NetworkOptions = { lossRate: 0, lateRate: 0, minDelayMs: 0.2, maxDelayMs: 2 };

const MAX_LATE_MS = 6000;

/** Datagrams get lost and overtake each other; streams are slower and arrive, unless there is no way. */
export class SimNetwork {
  readonly #time: VirtualTime;
  readonly #random: Random;
  #options: NetworkOptions;
  /** Addresses of the same side reach each other; those that are not named are on side 0. */
  readonly #sides = new Map<Address, number>();
  readonly #noDatagrams = new Set<Address>();

  constructor(time: VirtualTime, random: Random, options: NetworkOptions) {
    this.#time = time;
    this.#random = random;
    this.#options = options;
  }

  /** Everything arrives from now on, and in time. */
  calm(): void {
    this.#options = { ...this.#options, lossRate: 0, lateRate: 0 };
  }

  partition(side: number, addresses: readonly Address[]): void {
    for (const address of addresses) this.#sides.set(address, side);
  }

  heal(): void {
    this.#sides.clear();
    this.#noDatagrams.clear();
  }

  /** As a firewall that lets streams through only. */
  blockDatagrams(address: Address): void {
    this.#noDatagrams.add(address);
  }

  isOpen(from: Address, to: Address): boolean {
    return (this.#sides.get(from) ?? 0) === (this.#sides.get(to) ?? 0);
  }

  datagram(from: Address, to: Address, deliver: () => void): void {
    if (this.#random.float() < this.#options.lossRate || this.#noDatagrams.has(to)) return;
    const lateMs = this.#random.float() < this.#options.lateRate ? this.#random.float() * MAX_LATE_MS : 0;
    this.#time.at(this.#delayMs() + lateMs, () => {
      if (this.isOpen(from, to)) deliver();
    });
  }

  /** A connection and what is sent on it: two ways there, one more for each loss. */
  stream(from: Address, to: Address, deliver: () => void, fail: () => void): void {
    const retries = this.#random.float() < this.#options.lossRate ? 1 + randomInteger(this.#random, 2) : 0;
    this.#time.at(2 * this.#delayMs() + retries * 200, () => {
      if (this.isOpen(from, to)) deliver();
      else fail();
    });
  }

  #delayMs(): number {
    const { minDelayMs, maxDelayMs } = this.#options;
    return minDelayMs + this.#random.float() * (maxDelayMs - minDelayMs);
  }
}
