/**
 * A history: what clients asked of one key-value store and what they were told.
 *
 * Invariants:
 * 1. `callMs` and `returnMs` come from one monotonic clock; an interval is closed, so two that touch are concurrent.
 * 2. A client has one operation under way at a time; after one of unknown fate it goes on under another `client` name or not at all
 *    (the checker does not need this, the printed history does).
 * 3. `failed` is only for what certainly had no effect. Everything doubtful is `unknown`.
 */
export interface Operation {
  readonly client: string;
  readonly key: string;
  readonly call: Call;
  readonly callMs: number;
  readonly outcome: Outcome;
}

export type Call =
  | { readonly kind: 'get' }
  | { readonly kind: 'put'; readonly value: string }
  /** Writes only if the key's ModifyIndex is `index`; 0: only if there is no such key. */
  | { readonly kind: 'cas'; readonly index: number; readonly value: string }
  /** With `index` only if the ModifyIndex is that one; an absent key counts as deleted. */
  | { readonly kind: 'delete'; readonly index?: number };

export type Outcome =
  | { readonly status: 'ok'; readonly returnMs: number; readonly answer: Answer }
  /** It may have taken effect at any time after the call, may still do so, or never. */
  | { readonly status: 'unknown' }
  | { readonly status: 'failed' };

export type Answer =
  /** What a get showed: no value is an absent key. `index` is the ModifyIndex. */
  | { readonly found: false }
  | { readonly found: true; readonly value: string; readonly index?: number }
  /** What a write was told: false is a cas that did not match. */
  | { readonly applied: boolean };
