import type { LictorError, QueryMeta } from '@lictor/protocol';

/** A refresh that answers sooner than this without news is followed by a pause: some reads do not block. */
export const QUIET_PAUSE_MS = 1_000;
/** Failures before the waits start to double, and the longest wait (consul-facts T003). */
const PATIENT_FAILURES = 3;
const MAX_BACKOFF_MS = 60_000;
/** A blocking query that is silent for so long has reached the servers (consul-facts T003). */
const CONNECTED_AFTER_MS = 31_000;
/** Denials are not believed for longer (design.md section 4). */
const DENIAL_TTL_MS = 1_000;

export interface EntryValue {
  readonly value: unknown;
  readonly meta: QueryMeta;
  /** Monotonic ms of the reply. */
  readonly receivedAtMs: number;
}

/**
 * One cached read.
 *
 * - `empty`: nothing known and nothing under way
 * - `fetching`: the first fetch is under way
 * - `denied`: the servers refused this token; believed for a second
 * - `fresh`: a value is known and no query is under way (simple types, or between two refreshes)
 * - `refreshing`: a value is known and a blocking query waits for the next one
 * - `backoff`: a value is known, the last refresh failed, the next one is due at `retryAtMs`
 * - `expired`: dropped; nothing happens any more
 */
export type EntryState =
  | { readonly kind: 'empty' }
  | { readonly kind: 'fetching' }
  | { readonly kind: 'denied'; readonly error: LictorError; readonly untilMs: number }
  | { readonly kind: 'fresh'; readonly known: EntryValue; readonly retryAtMs: number | undefined }
  | { readonly kind: 'refreshing'; readonly known: EntryValue; readonly sinceMs: number; readonly lostContactAtMs: number | undefined }
  | { readonly kind: 'backoff'; readonly known: EntryValue; readonly retryAtMs: number; readonly lostContactAtMs: number }
  | { readonly kind: 'expired' };

/** What the driver has to do after a step. */
export interface EntryEffects {
  /** Start a fetch; above 0 it blocks until the index passes. */
  readonly fetchMinIndex?: number;
  /** It is to be answered soon, news or not: contact was lost, and only an answer shows that it is back. */
  readonly isProbe?: boolean;
  /** Call `retryDue` at this monotonic time. */
  readonly wakeAtMs?: number;
  /** The value changed: answer those who wait for news. */
  readonly hasNews?: boolean;
  /** No value and none coming: tell those who wait for the first one. */
  readonly failure?: LictorError;
}

const NOTHING: EntryEffects = {};

/** The pure part of a cache entry: replies, errors and times in, effects out. */
export class CacheEntry {
  readonly isBackground: boolean;
  #state: EntryState = { kind: 'empty' };
  #failures = 0;

  constructor(isBackground: boolean) {
    this.isBackground = isBackground;
  }

  get state(): EntryState {
    return this.#state;
  }

  get known(): EntryValue | undefined {
    return 'known' in this.#state ? this.#state.known : undefined;
  }

  /** How long ago the agent last heard that the value is current, ms: 0 while a refresh is connected. */
  ageMs(nowMs: number): number {
    const state = this.#state;
    if (state.kind === 'backoff') return nowMs - state.lostContactAtMs;
    if (state.kind === 'refreshing') {
      if (state.lostContactAtMs === undefined || nowMs - state.sinceMs > CONNECTED_AFTER_MS) return 0;
      return nowMs - state.lostContactAtMs;
    }
    return state.kind === 'fresh' && !this.isBackground ? nowMs - state.known.receivedAtMs : 0;
  }

  /** Somebody asks. `refetch`: what is known is too old for them (simple types). */
  request(nowMs: number, refetch: boolean): EntryEffects {
    const state = this.#state;
    if (state.kind === 'empty' || (state.kind === 'denied' && nowMs >= state.untilMs)) {
      this.#state = { kind: 'fetching' };
      return { fetchMinIndex: 0 };
    }
    if (refetch && state.kind === 'fresh') {
      this.#state = { kind: 'refreshing', known: state.known, sinceMs: nowMs, lostContactAtMs: undefined };
      return { fetchMinIndex: 0 };
    }
    return NOTHING;
  }

  reply(nowMs: number, value: unknown, meta: QueryMeta): EntryEffects {
    const state = this.#state;
    if (state.kind !== 'fetching' && state.kind !== 'refreshing') return NOTHING;
    this.#failures = 0;
    const previous = 'known' in state ? state.known : undefined;
    // The same object for the same index: what depends on it can be kept by identity.
    const isSame = previous !== undefined && previous.meta.index === meta.index && this.isBackground;
    const known = { value: isSame ? previous.value : value, meta, receivedAtMs: nowMs };
    const hasNews = !isSame;
    if (!this.isBackground) {
      this.#state = { kind: 'fresh', known, retryAtMs: undefined };
      return { hasNews: true };
    }
    const answeredAtOnce = state.kind === 'refreshing' && nowMs - state.sinceMs < QUIET_PAUSE_MS;
    if (answeredAtOnce && !hasNews) {
      const retryAtMs = nowMs + QUIET_PAUSE_MS;
      this.#state = { kind: 'fresh', known, retryAtMs };
      return { wakeAtMs: retryAtMs };
    }
    return { ...this.#refresh(nowMs, known, previous), hasNews };
  }

  error(nowMs: number, error: LictorError): EntryEffects {
    const state = this.#state;
    if (state.kind !== 'fetching' && state.kind !== 'refreshing') return NOTHING;
    if (error.code === 'permission-denied') {
      // A token that lost its rights must not go on reading what it once could.
      this.#state = { kind: 'denied', error, untilMs: nowMs + DENIAL_TTL_MS };
      return { failure: error };
    }
    this.#failures += 1;
    if (state.kind === 'fetching') {
      this.#state = { kind: 'empty' };
      return { failure: error };
    }
    if (!this.isBackground) {
      this.#state = { kind: 'fresh', known: state.known, retryAtMs: undefined };
      return { failure: error };
    }
    const lostContactAtMs = state.lostContactAtMs ?? nowMs;
    const retryAtMs = nowMs + backoffMs(this.#failures);
    this.#state = { kind: 'backoff', known: state.known, retryAtMs, lostContactAtMs };
    return { wakeAtMs: retryAtMs };
  }

  retryDue(nowMs: number): EntryEffects {
    const state = this.#state;
    if (state.kind !== 'backoff' && state.kind !== 'fresh') return NOTHING;
    if (state.retryAtMs === undefined || nowMs < state.retryAtMs) return NOTHING;
    if (state.kind === 'backoff') return this.retryNow(nowMs);
    this.#state = { kind: 'refreshing', known: state.known, sinceMs: nowMs, lostContactAtMs: undefined };
    return { fetchMinIndex: state.known.meta.index };
  }

  /** There are servers again: what could not be refreshed may be now. */
  retryNow(nowMs: number): EntryEffects {
    const state = this.#state;
    if (state.kind !== 'backoff') return NOTHING;
    const { known, lostContactAtMs } = state;
    this.#state = { kind: 'refreshing', known, sinceMs: nowMs, lostContactAtMs };
    return { fetchMinIndex: known.meta.index, isProbe: true };
  }

  expire(): void {
    this.#state = { kind: 'expired' };
  }

  #refresh(nowMs: number, known: EntryValue, previous: EntryValue | undefined): EntryEffects {
    this.#state = { kind: 'refreshing', known, sinceMs: nowMs, lostContactAtMs: undefined };
    // After a restore the servers' indexes start again below ours: ask from the beginning.
    const wentBack = previous !== undefined && known.meta.index < previous.meta.index;
    return { fetchMinIndex: wentBack ? 0 : known.meta.index };
  }
}

function backoffMs(failures: number): number {
  if (failures < PATIENT_FAILURES) return QUIET_PAUSE_MS;
  return Math.min(MAX_BACKOFF_MS, QUIET_PAUSE_MS * 2 ** (failures - PATIENT_FAILURES + 1));
}
