import type { Random } from '@lictor/protocol';

/** A leaf is renewed at a random point of this part of its life (consul-facts P023). */
const RENEW_FROM = 0.6;
const RENEW_TO = 0.9;
/** After a rate limit the next attempt falls at random into this window. */
const RATE_LIMIT_WINDOW_MS = 30_000;
const MIN_BACKOFF_MS = 1_000;
const MAX_BACKOFF_MS = 60_000;

export interface LeafLife {
  /** Wall clock, ms. */
  readonly validFromMs: number;
  readonly validUntilMs: number;
  /** The root that was active when it was signed. */
  readonly rootId: string;
}

/**
 * When to sign a leaf anew. All times are wall-clock: a laptop that slept, or a clock that was set, is noticed at the next tick.
 *
 * - `none`: no leaf yet; the next caller asks for one
 * - `signing`: a request is under way; `life` is that of the leaf still in use
 * - `valid`: in use until `renewAtMs`
 */
export type LeafState =
  | { readonly kind: 'none' }
  | { readonly kind: 'signing'; readonly life: LeafLife | undefined }
  | { readonly kind: 'valid'; readonly life: LeafLife; readonly renewAtMs: number };

export class LeafMachine {
  readonly #random: Random;
  readonly #rootSpreadMs: number;
  #state: LeafState = { kind: 'none' };
  #failures = 0;

  constructor(random: Random, rootSpreadMs: number) {
    this.#random = random;
    this.#rootSpreadMs = rootSpreadMs;
  }

  get state(): LeafState {
    return this.#state;
  }

  /** True: start signing now, and tell `signed` or `failed` how it went. */
  request(): boolean {
    if (this.#state.kind !== 'none') return false;
    this.#state = { kind: 'signing', life: undefined };
    return true;
  }

  /** True: start signing now. Call it every few seconds. */
  tick(nowMs: number): boolean {
    const state = this.#state;
    if (state.kind !== 'valid' || nowMs < state.renewAtMs) return false;
    this.#state = { kind: 'signing', life: state.life };
    return true;
  }

  signed(life: LeafLife): void {
    this.#failures = 0;
    const share = RENEW_FROM + this.#random.float() * (RENEW_TO - RENEW_FROM);
    this.#state = { kind: 'valid', life, renewAtMs: life.validFromMs + share * (life.validUntilMs - life.validFromMs) };
  }

  failed(nowMs: number, isRateLimited: boolean): void {
    const life = this.#state.kind === 'signing' ? this.#state.life : undefined;
    if (life === undefined) {
      this.#state = { kind: 'none' };
      return;
    }
    this.#failures += 1;
    const backoffMs = Math.min(MAX_BACKOFF_MS, MIN_BACKOFF_MS * 2 ** (this.#failures - 1));
    const delayMs = isRateLimited ? this.#random.float() * RATE_LIMIT_WINDOW_MS : backoffMs * (0.5 + this.#random.float() / 2);
    this.#state = { kind: 'valid', life, renewAtMs: nowMs + delayMs };
  }

  /** Another root signs now: every agent's leaves follow, spread so that the servers are not asked for all at once. */
  rootChanged(nowMs: number, rootId: string): void {
    const state = this.#state;
    if (state.kind !== 'valid' || state.life.rootId === rootId) return;
    const atMs = nowMs + this.#random.float() * this.#rootSpreadMs;
    this.#state = { ...state, renewAtMs: Math.min(state.renewAtMs, atMs) };
  }
}
