import type { Clock, Random, Timer } from '@lictor/protocol';
import type { Owner, Scheduler } from './scheduler.ts';

/** A machine's clock: it runs too fast or too slow, and its wall clock is off and jumps. */
export interface MachineClock {
  readonly rate: number;
  wallOffsetMs: number;
}

const EPOCH_MS = Date.UTC(2026, 0, 1);
const MAX_LATE_MS = 1;

export function createMachineClock(random: Random, maxDrift: number): MachineClock {
  return { rate: 1 + (random.float() * 2 - 1) * maxDrift, wallOffsetMs: Math.round((random.float() * 2 - 1) * 5000) };
}

/** The machine's clock as one process on it sees it: timers go with the process, and come a little late. */
export class ServerClock implements Clock {
  readonly #machine: MachineClock;
  readonly #scheduler: Scheduler;
  readonly #owner: Owner;
  readonly #random: Random;
  readonly #startMs: number;

  constructor(machine: MachineClock, scheduler: Scheduler, owner: Owner, random: Random) {
    this.#machine = machine;
    this.#scheduler = scheduler;
    this.#owner = owner;
    this.#random = random;
    this.#startMs = scheduler.nowMs;
  }

  now(): number {
    return Math.floor(EPOCH_MS + this.#scheduler.nowMs * this.#machine.rate + this.#machine.wallOffsetMs);
  }

  monotonic(): number {
    return (this.#scheduler.nowMs - this.#startMs) * this.#machine.rate;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    const lateMs = this.#random.float() * MAX_LATE_MS;
    return this.#scheduler.at(Math.max(0, delayMs) / this.#machine.rate + lateMs, this.#owner, callback, true);
  }
}
