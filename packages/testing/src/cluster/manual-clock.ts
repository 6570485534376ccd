import type { Machine } from '@lictor/cli';
import type { Clock, Timer } from '@lictor/protocol';
import { systemClock } from '@lictor/protocol/system';

type RaftStorage = Parameters<Machine['wrapStorage']>[0];

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
/** Waits for the disk, a step: who writes all the time does not stop the clock. */
const MAX_WAITS = 8;

/**
 * Real time, and what a test adds to it: agents go on by themselves (elections, probes, calls), and hours need not be waited for.
 *
 * 1. `advance` passes in steps of 25 ms. Between them the event loop turns, and what servers write to their logs is waited for, so that
 *    heartbeats, probes, calls over loopback and disks keep up: nobody is elected and nobody is suspected only because time was moved. A
 *    second of virtual time takes tens of milliseconds.
 * 2. `jumpWallClock` moves the time of day alone, as the end of a machine's sleep does: for hours and days, such as a certificate's life.
 *    Timers, which are monotonic, are where they were; whoever looks at the time of day now and then looks when `advance` lets it.
 * 3. Kernels, gRPC's keepalives, sockets' own timeouts and OpenSSL's look at a certificate's validity stay on real time: after a jump of the
 *    wall clock sidecars do not take certificates made since.
 */
export class ManualClock implements Clock {
  readonly #base: Clock;
  readonly #pending = new Set<Pending>();
  readonly #writes = new Set<Promise<unknown>>();
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
      await this.#settle();
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

  /** Time is not moved while this storage writes. */
  wrapStorage(storage: RaftStorage): RaftStorage {
    const { log } = storage;
    return {
      ...storage,
      log: {
        load: () => log.load(),
        write: (batch) => this.#track(log.write(batch)),
        trim: (index) => this.#track(log.trim(index)),
        clear: () => this.#track(log.clear()),
        close: () => log.close(),
      },
    };
  }

  #track<T>(write: Promise<T>): Promise<T> {
    const ended = write.catch(() => undefined).finally(() => this.#writes.delete(ended));
    this.#writes.add(ended);
    return write;
  }

  /** Until what the step has set off has come to rest. */
  async #settle(): Promise<void> {
    await turns();
    for (let waits = 0; this.#writes.size > 0 && waits < MAX_WAITS; waits++) {
      await Promise.race(this.#writes);
      await turns();
    }
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

async function turns(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) await new Promise((resolve) => setImmediate(resolve));
}
