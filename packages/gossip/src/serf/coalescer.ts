import type { UserEvent } from '../types.ts';

/** Of several events with one name that come together, only the last is delivered: for events that say "look again". */
export class Coalescer {
  readonly #coalesceMs: number;
  readonly #quiescentMs: number;
  readonly #held = new Map<string, UserEvent>();
  #firstMs = 0;
  #lastMs = 0;

  constructor(coalesceMs: number, quiescentMs: number) {
    this.#coalesceMs = coalesceMs;
    this.#quiescentMs = quiescentMs;
  }

  get dueMs(): number {
    return this.#held.size === 0 ? Infinity : Math.min(this.#firstMs + this.#coalesceMs, this.#lastMs + this.#quiescentMs);
  }

  /** @returns whether it is held back */
  hold(event: UserEvent, nowMs: number): boolean {
    if (!event.coalesce || this.#coalesceMs === 0) return false;
    if (this.#held.size === 0) this.#firstMs = nowMs;
    this.#lastMs = nowMs;
    const known = this.#held.get(event.name);
    if (known === undefined || event.time >= known.time) this.#held.set(event.name, event);
    return true;
  }

  take(nowMs: number): UserEvent[] {
    if (nowMs < this.dueMs) return [];
    const events = [...this.#held.values()];
    this.#held.clear();
    return events;
  }
}
