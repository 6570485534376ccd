import { LictorError, type Random } from '@lictor/protocol';

/** consul-facts T004. */
export const FULL_SYNC_INTERVAL_MS = 60_000;
const RETRY_MS = 15_000;
const NO_LEADER_RETRY_MS = 500;
const SMALL_CLUSTER = 128;

export type SyncKind = 'full' | 'partial';

/**
 * When to sync.
 *
 * - `stopped`
 * - `idle`: everything known is in the catalog; the next full sync is at `fullAtMs`
 * - `syncing`: `isDirty` when something changed meanwhile
 * - `retrying`: the last sync failed; a full one follows at `retryAtMs`
 */
export type SyncState =
  | { readonly kind: 'stopped' }
  | { readonly kind: 'idle'; readonly fullAtMs: number }
  | { readonly kind: 'syncing'; readonly sync: SyncKind; readonly isDirty: boolean }
  | { readonly kind: 'retrying'; readonly retryAtMs: number };

export interface SyncEffects {
  readonly run?: SyncKind;
  /** Call `due` at this monotonic time. */
  readonly wakeAtMs?: number;
}

const NOTHING: SyncEffects = {};

/** The pure part of anti-entropy's rhythm. */
export class SyncSchedule {
  readonly #random: Random;
  readonly #clusterSize: () => number;
  #state: SyncState = { kind: 'stopped' };

  constructor(random: Random, clusterSize: () => number) {
    this.#random = random;
    this.#clusterSize = clusterSize;
  }

  get state(): SyncState {
    return this.#state;
  }

  start(): SyncEffects {
    return this.#run('full');
  }

  stop(): void {
    this.#state = { kind: 'stopped' };
  }

  /** Something changed here. */
  dirty(): SyncEffects {
    if (this.#state.kind === 'syncing') {
      this.#state = { ...this.#state, isDirty: true };
      return NOTHING;
    }
    return this.#state.kind === 'idle' ? this.#run('partial') : NOTHING;
  }

  due(nowMs: number): SyncEffects {
    const state = this.#state;
    if (state.kind === 'retrying' && nowMs >= state.retryAtMs) return this.#run('full');
    return state.kind === 'idle' && nowMs >= state.fullAtMs ? this.#run('full') : NOTHING;
  }

  done(nowMs: number, fullAtMs?: number): SyncEffects {
    if (this.#state.kind !== 'syncing') return NOTHING;
    const { sync, isDirty } = this.#state;
    const nextFullAtMs = sync === 'full' || fullAtMs === undefined ? nowMs + this.#fullIntervalMs() : fullAtMs;
    this.#state = { kind: 'idle', fullAtMs: nextFullAtMs };
    return isDirty ? this.#run('partial') : { wakeAtMs: nextFullAtMs };
  }

  failed(nowMs: number, error: unknown): SyncEffects {
    if (this.#state.kind !== 'syncing') return NOTHING;
    // An election is over in moments; anything else deserves patience.
    const isElection = error instanceof LictorError && error.code === 'no-leader';
    const baseMs = isElection ? NO_LEADER_RETRY_MS : RETRY_MS;
    const retryAtMs = nowMs + baseMs * (1 + this.#random.float());
    this.#state = { kind: 'retrying', retryAtMs };
    return { wakeAtMs: retryAtMs };
  }

  #run(sync: SyncKind): SyncEffects {
    this.#state = { kind: 'syncing', sync, isDirty: false };
    return { run: sync };
  }

  /** Large clusters sync less often, and not all agents at once. */
  #fullIntervalMs(): number {
    const scaled = FULL_SYNC_INTERVAL_MS * scaleFactor(this.#clusterSize());
    return scaled * (1 + this.#random.float());
  }
}

/** 1 up to 128 nodes, then one more for each doubling. */
export function scaleFactor(nodes: number): number {
  if (nodes <= SMALL_CLUSTER) return 1;
  return Math.ceil(Math.log2(nodes) - Math.log2(SMALL_CLUSTER)) + 1;
}
