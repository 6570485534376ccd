import type { Timer } from '@lictor/protocol';
import { EventHeap, type Timed } from './event-heap.ts';
import { realTurn } from './event-loop.ts';
import { Trace } from './trace.ts';

/** Whose event it is: one life of a server. A dead one's events never happen, a paused one's wait. */
export interface Owner {
  readonly ordinal: number;
  isDead: boolean;
  isPaused: boolean;
  held: Event[];
}

export interface Event extends Timed {
  /** A timer of the process, rather than something that reaches it. */
  readonly isTimer: boolean;
  readonly owner: Owner | undefined;
  act: (() => void) | undefined;
}

/** Events between two real turns of the event loop: there rejections that nobody handles come to light. */
const EVENTS_PER_TURN = 4000;

/**
 * Virtual time: a clock that jumps from event to event. All promises settle before the next event, so that one seed has one outcome.
 */
export class Scheduler {
  readonly trace: Trace;
  readonly #heap = new EventHeap<Event>();
  #order = 0;
  nowMs = 0;
  events = 0;
  /** Owners are numbered as they come. */
  owners = 0;
  /** Whose event is being carried out; promises that settle after it count as its own. */
  current: Owner | undefined;
  /** Ends `run` after the event under way. */
  failure: Error | undefined;

  constructor(trace = new Trace()) {
    this.trace = trace;
  }

  at(delayMs: number, owner: Owner | undefined, act: () => void, isTimer = false): Timer {
    const event: Event = { atMs: this.nowMs + Math.max(0, delayMs), order: this.#order++, isTimer, owner, act };
    this.#heap.push(event);
    return {
      cancel: () => {
        event.act = undefined;
      },
    };
  }

  wait(delayMs: number, owner: Owner | undefined): Promise<void> {
    return new Promise((resolve) => void this.at(delayMs, owner, resolve));
  }

  every(delayMs: () => number, act: () => void): void {
    this.at(delayMs(), undefined, () => {
      act();
      this.every(delayMs, act);
    });
  }

  note(what: string, ...details: readonly (string | number | boolean | undefined)[]): void {
    this.trace.note(this.nowMs, what, ...details);
  }

  /** Its events that were held happen now, in their order; or first what has waited in its sockets, before it looks at its clock. */
  resume(owner: Owner, isClockLast: boolean): void {
    owner.isPaused = false;
    const { held } = owner;
    owner.held = [];
    const inOrder = isClockLast ? [...held.filter(({ isTimer }) => !isTimer), ...held.filter(({ isTimer }) => isTimer)] : held;
    for (const event of inOrder) {
      this.#heap.push({ atMs: this.nowMs, order: this.#order++, isTimer: event.isTimer, owner, act: () => event.act?.() });
    }
  }

  /** Until virtual time is `untilMs`, or `isDone`. @throws the failure */
  run(untilMs: number, isDone: () => boolean = () => false): Promise<void> {
    return new Promise((resolve, reject) => {
      let left = EVENTS_PER_TURN;
      // A tick runs when all promises have settled, those that settled ones lead to included.
      const next = (): void => queueMicrotask(scheduleStep);
      const scheduleStep = (): void => process.nextTick(step);
      const step = (): void => {
        if (this.failure !== undefined) return reject(this.failure);
        if (isDone() || !this.#carryOut(untilMs)) return resolve();
        if (--left > 0) return next();
        left = EVENTS_PER_TURN;
        void realTurn().then(step);
        return undefined;
      };
      next();
    });
  }

  /** The next event; false when there is none. */
  #carryOut(untilMs: number): boolean {
    for (let event = this.#heap.first; event !== undefined && event.atMs <= untilMs; event = this.#heap.first) {
      this.#heap.pop();
      const { owner, act } = event;
      if (act === undefined || owner?.isDead === true) continue;
      if (owner?.isPaused === true) {
        owner.held.push(event);
        continue;
      }
      this.nowMs = event.atMs;
      this.events++;
      this.trace.mix(event.atMs + (owner?.ordinal ?? 0));
      this.current = owner;
      act();
      return true;
    }
    this.nowMs = untilMs;
    this.current = undefined;
    return false;
  }
}
