import { GossipError } from '../errors.ts';
import type { UserEvent } from '../types.ts';
import { Coalescer } from './coalescer.ts';
import { EventRing } from './event-ring.ts';
import { LamportClock } from './lamport.ts';
import type { SerfOptions } from './options.ts';

/** What readers refuse, since names go into logs. */
const CONTROL = /\p{Cc}/u;
/** Of the past, that a newcomer hears. */
const MAX_RECENT = 512;

/** User events: told to all, delivered once. */
export class UserEvents {
  readonly clock = new LamportClock();
  readonly #ring: EventRing<UserEvent>;
  readonly #coalescer: Coalescer;
  readonly #maxBytes: number;
  readonly #deliver: (event: UserEvent) => void;

  constructor(options: SerfOptions, deliver: (event: UserEvent) => void) {
    this.#ring = new EventRing(options.recentEvents, isSameEvent);
    this.#coalescer = new Coalescer(options.coalesceMs, options.quiescentMs);
    this.#maxBytes = options.userEventBytes;
    this.#deliver = deliver;
    this.clock.tick();
  }

  get dueMs(): number {
    return this.#coalescer.dueMs;
  }

  /** @throws GossipError `too-large`, `invalid` */
  make(name: string, payload: Uint8Array, coalesce: boolean): UserEvent {
    const bytes = Buffer.byteLength(name) + payload.length;
    if (bytes > this.#maxBytes)
      throw new GossipError('too-large', `user event exceeds configured limit of ${this.#maxBytes} bytes before encoding`);
    if (CONTROL.test(name)) throw new GossipError('invalid', 'name of a user event must not contain control characters');
    const { time } = this.clock;
    return { time, name, payload, coalesce };
  }

  /** @returns whether it is new, and told on */
  take(event: UserEvent, nowMs: number): boolean {
    this.clock.witness(event.time);
    if (!this.#ring.add(event.time, event, this.clock.time)) return false;
    if (!this.#coalescer.hold(event, nowMs)) this.#deliver(event);
    return true;
  }

  tick(nowMs: number): void {
    for (const event of this.#coalescer.take(nowMs)) this.#deliver(event);
  }

  recent(): UserEvent[] {
    return this.#ring.items().slice(-MAX_RECENT);
  }

  /** What was before `time` is not for this member. */
  ignoreBefore(time: number): void {
    this.#ring.minTime = Math.max(this.#ring.minTime, time);
  }
}

function isSameEvent(one: UserEvent, other: UserEvent): boolean {
  return one.name === other.name && Buffer.compare(one.payload, other.payload) === 0;
}
