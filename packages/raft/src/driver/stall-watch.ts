import type { NodeOptions } from './options.ts';

/** `hand-over`: to the best follower. `step-down`: whoever it is, not this one. */
export type StallVerdict = 'lead' | 'hand-over' | 'step-down';

export interface Moment {
  readonly nowMs: number;
  /** Since when the write under way has been going on; undefined: there is none. */
  readonly writingSinceMs: number | undefined;
  readonly isLeader: boolean;
}

/**
 * Notices that the disk or the event loop of a leader stalls.
 *
 * 1. From half an election timeout on its followers are about to notice; handing over costs a round trip, their election a timeout and more.
 * 2. A disk that still stalls after a whole one: no heir has come forward, and whoever waits learns at least that this one does not lead.
 * 3. An event loop that stalled runs again when that is noticed. What stalled once (a collection, a debugger, a machine without memory)
 *    does so again soon, so leadership is offered; but if nobody takes it this leader is as good as any, unless it stalls once more.
 */
export class StallWatch {
  readonly #options: NodeOptions;
  #expectedMs: number | undefined;
  /** The event loop stalled, and what has arrived meanwhile is being read: who is the best follower is not known before. */
  #handOverAtMs: number | undefined;
  #handedOverMs = -Infinity;
  /** What was noticed last: for the log. */
  stalledMs = 0;

  constructor(options: NodeOptions) {
    this.#options = options;
  }

  /** Once a tick. `nextMs`: when the next one is due. */
  tick({ nowMs, writingSinceMs, isLeader }: Moment, nextMs: number): StallVerdict {
    const { electionTimeoutMs, heartbeatMs } = this.#options;
    const lateMs = nowMs - (this.#expectedMs ?? nowMs);
    this.#expectedMs = nextMs;
    if (!isLeader) {
      this.#handOverAtMs = undefined;
      return 'lead';
    }
    const diskMs = nowMs - (writingSinceMs ?? nowMs);
    const isAgain = nowMs - this.#handedOverMs < 3 * electionTimeoutMs;
    if (lateMs > electionTimeoutMs / 2) {
      this.stalledMs = lateMs;
      if (isAgain) return 'step-down';
      this.#handOverAtMs = nowMs + heartbeatMs / 2;
    }
    if (diskMs >= electionTimeoutMs / 2) this.stalledMs = diskMs;
    if (diskMs >= electionTimeoutMs) return 'step-down';
    const isDue = diskMs >= electionTimeoutMs / 2 || nowMs >= (this.#handOverAtMs ?? Infinity);
    if (!isDue || isAgain) return 'lead';
    this.#handOverAtMs = undefined;
    this.#handedOverMs = nowMs;
    return 'hand-over';
  }
}
