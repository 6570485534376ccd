import type { LogEntry } from '../../fsm/fsm.ts';

/** Where a single node keeps its committed entries. */
export interface EntryLog {
  /** Durable when it resolves; at once (undefined) for a log that keeps nothing. A failed append may have kept a part: the log is then closed. */
  append(entries: readonly LogEntry[]): Promise<void> | undefined;
  close(): Promise<void>;
}

/** `-dev`: what is applied is all there is. */
export const forgetfulLog: EntryLog = {
  append: () => undefined,
  close: () => Promise.resolve(),
};
