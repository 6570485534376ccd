import type { Clock, Timer } from '@lictor/protocol';
import { systemClock } from '@lictor/protocol/system';

interface Pending {
  readonly dueMs: number;
  readonly sequence: number;
  readonly callback: () => void;
  real: Timer;
}

/** Less than a heartbeat: what is sent in a step has arrived before the next. */
const STEP_MS = 25;
/** Of the event loop, a step: a call over loopback there and back, and what it sets off. */
const TURNS = 12;

/**
 * Real time, and what a test adds to it: agents go on by themselves (elections, probes, calls), and hours need not be waited for.
 *
 * 1. `advance` passes in steps of 25 ms, and the event loop turns between them, so that heartbeats, probes and calls over loopback keep
 *    up: nobody is elected and nobody is suspected only because time was moved. A second of virtual time takes tens of milliseconds.
 * 2. `jumpWallClock` moves the time of day alone, as the end of a machine's sleep does: for hours and days, such as a certificate's life.
 *    Timers, which are monotonic, are where they were; whoever looks at the time of day now and then looks when `advance` lets it.
 * 3. Disks, kernels, gRPC's keepalives, sockets' own timeouts and OpenSSL's look at a certificate's validity stay on real time: a disk
 *    of 5 ms appears slow while time is moved, and after a jump of the wall clock sidecars do not take certificates made since.
 */
export class ManualClock implements Clock {
  readonly #base: Clock;
  readonly #pending = new Set<Pending>();
  #aheadMs = 0;
  #wallMs = 0;
  #sequence = 0;

  constructor(base: Clock = systemClock) {
    this.#base = base;
  }

  now(): number {
    return this.#base.now() + this.#aheadMs + this.#wallMs;
  }

  monotonic(): number {
    return this.#base.monotonic() + this.#aheadMs;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    const dueMs = this.monotonic() + Math.max(0, delayMs);
    const pending: Pending = { dueMs, sequence: this.#sequence++, callback, real: this.#arm(dueMs, () => this.#fire(pending)) };
    this.#pending.add(pending);
    return {
      cancel: () => {
        pending.real.cancel();
        this.#pending.delete(pending);
      },
    };
  }

  /** How many timers wait. */
  get pendingTimers(): number {
    return this.#pending.size;
  }

  /** Moves time forward by `byMs`, and fires what falls due. One call at a time. */
  async advance(byMs: number): Promise<void> {
    for (let restMs = byMs; restMs > 0; restMs -= STEP_MS) {
      this.#aheadMs += Math.min(STEP_MS, restMs);
      this.#fireDue();
      for (let turn = 0; turn < TURNS; turn++) await new Promise((resolve) => setImmediate(resolve));
    }
    for (const pending of this.#pending) {
      pending.real.cancel();
      pending.real = this.#arm(pending.dueMs, () => this.#fire(pending));
    }
  }

  /** Moves the time of day alone. */
  jumpWallClock(byMs: number): void {
    this.#wallMs += byMs;
  }

  #arm(dueMs: number, callback: () => void): Timer {
    return this.#base.setTimer(Math.max(0, dueMs - this.monotonic()), callback);
  }

  /** What callbacks set anew has its turn in the next step. */
  #fireDue(): void {
    const nowMs = this.monotonic();
    const due = [...this.#pending].filter(({ dueMs }) => dueMs <= nowMs);
    due.sort((one, other) => one.dueMs - other.dueMs || one.sequence - other.sequence);
    for (const pending of due) this.#fire(pending);
  }

  /** Unless another callback took it back. */
  #fire(pending: Pending): void {
    if (!this.#pending.delete(pending)) return;
    pending.real.cancel();
    pending.callback();
  }
}
