import type { RaftIndex } from '@lictor/protocol';
import type { Table } from '../types.ts';

/**
 * A key that a session lost its lock on: nobody may lock it again before `ExpiresMs` (consul-facts T011), so that a former holder
 * who does not know yet has time to notice.
 *
 * Consul keeps this in each server's memory and asks only the leader's clock. Here it is a fact of the log: the expiry counts
 * from the time stamped on the entry that ended the session, and a lock is judged by the time stamped on its own entry, so every
 * server decides alike and a new leader still knows.
 */
export interface LockDelay extends RaftIndex {
  readonly Key: string;
  /** Wall-clock ms of the proposers' clocks. */
  readonly ExpiresMs: number;
}

export const lockDelaysTable: Table<LockDelay> = { name: 'lock-delays', key: (row) => row.Key, indexes: {} };

/** No session asks for more, so a longer remainder is a proposer's clock that was set back: the delay is over then. */
export const MAX_LOCK_DELAY_MS = 60_000;
