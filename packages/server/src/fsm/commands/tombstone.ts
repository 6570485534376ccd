import { lockDelaysTable } from '../../state/tables/lock-delays.ts';
import type { StateTxn } from '../../state/types.ts';
import { isLockDelayed } from '../kv/operations.ts';
import { CommandFailure, type CommandHandlers } from '../types.ts';

export const TOMBSTONE_REAP = 'tombstone.reap';

export const tombstoneCommands = { [TOMBSTONE_REAP]: applyReap } satisfies CommandHandlers;

/** Forgets removals through `index`, and lock delays that are over. How many tombstones went. */
function applyReap(txn: StateTxn, body: { readonly index: number }): number | CommandFailure {
  if (!Number.isSafeInteger(body?.index)) return new CommandFailure('invalid-argument', `malformed command ${TOMBSTONE_REAP}`);
  for (const delay of txn.scan(lockDelaysTable)) if (!isLockDelayed(txn, delay.Key, txn.timeMs)) txn.remove(lockDelaysTable, delay.Key);
  return txn.reapTombstones(body.index);
}
