import type { LogEntry } from '../../fsm/fsm.ts';

/** What a storage gives back to a starting node. */
export interface RecoverySink {
  /** Puts a snapshot into place; false when its bytes are damaged, and an older one is to be tried. */
  restore(index: number, state: Uint8Array): Promise<boolean>;
  /** Applies entries behind the snapshot, in order. */
  replay(entries: readonly LogEntry[]): void;
}

export interface Recovered {
  /** How often the node has started, this time included: its term. */
  readonly term: number;
  /** 0 without a snapshot. */
  readonly snapshotIndex: number;
}

/** Where a single node keeps its log and its snapshots. */
export interface Storage {
  /** @throws LictorError `internal` when what was written cannot be had back whole */
  open(sink: RecoverySink): Promise<Recovered>;
  /** Durable when it resolves; at once (undefined) where nothing is kept. */
  append(entries: readonly LogEntry[]): Promise<void> | undefined;
  /** Keeps the state at `index`, and forgets entries that are no longer needed. */
  saveSnapshot(index: number, slices: AsyncIterable<Uint8Array>): Promise<void>;
  /** Like `saveSnapshot`, and nothing that was before counts any more. */
  replaceAll(index: number, slices: AsyncIterable<Uint8Array>): Promise<void>;
  close(): Promise<void>;
}

/** `-dev`: what is applied is all there is. */
export const forgetfulStorage: Storage = {
  open: () => Promise.resolve({ term: 2, snapshotIndex: 0 }),
  append: () => undefined,
  saveSnapshot: () => Promise.resolve(),
  replaceAll: () => Promise.resolve(),
  close: () => Promise.resolve(),
};
