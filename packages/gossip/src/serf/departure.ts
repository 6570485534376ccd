/**
 * How a member leaves. Each step ends when others were told, or after a time:
 *
 * present -> announcing (the intent goes round) -> leaving (SWIM's last word goes round) -> lingering (the sockets stay for those who are late) -> gone
 */
export type DepartureStep = 'present' | 'announcing' | 'leaving' | 'lingering' | 'gone';

export interface DepartureActions {
  isIntentSpread(): boolean;
  isLeaveSpread(): boolean;
  sayLeft(nowMs: number): void;
  hasCompany(): boolean;
}

export class Departure {
  readonly #broadcastTimeoutMs: number;
  readonly #lingerMs: number;
  readonly #actions: DepartureActions;
  #step: DepartureStep = 'present';
  #untilMs = Infinity;

  constructor(broadcastTimeoutMs: number, lingerMs: number, actions: DepartureActions) {
    this.#broadcastTimeoutMs = broadcastTimeoutMs;
    this.#lingerMs = lingerMs;
    this.#actions = actions;
  }

  get step(): DepartureStep {
    return this.#step;
  }

  get dueMs(): number {
    return this.#untilMs;
  }

  begin(nowMs: number): void {
    if (this.#step === 'present') this.#enter('announcing', nowMs, this.#broadcastTimeoutMs);
  }

  /** Goes on as far as it can. @returns whether it is over now */
  advance(nowMs: number): boolean {
    const isOver = nowMs >= this.#untilMs;
    const isAlone = !this.#actions.hasCompany();
    if (this.#step === 'announcing' && (isOver || isAlone || this.#actions.isIntentSpread())) {
      this.#actions.sayLeft(nowMs);
      this.#enter('leaving', nowMs, this.#broadcastTimeoutMs);
    }
    if (this.#step === 'leaving' && (nowMs >= this.#untilMs || isAlone || this.#actions.isLeaveSpread()))
      this.#enter('lingering', nowMs, isAlone ? 0 : this.#lingerMs);
    if (this.#step !== 'lingering' || nowMs < this.#untilMs) return false;
    this.#enter('gone', nowMs, Infinity);
    return true;
  }

  #enter(step: DepartureStep, nowMs: number, forMs: number): void {
    this.#step = step;
    this.#untilMs = nowMs + forMs;
  }
}
