import type { KvOperation, KvWrite } from '@lictor/protocol';
import type { StateTxn } from '../../state/types.ts';
import { isLockDelayed, kvCas, kvDelete, kvDeleteCas, kvDeleteTree, kvLock, kvSet, kvUnlock } from '../kv/operations.ts';
import { isKvOperation, isKvWrite } from '../kv/shapes.ts';
import { CommandFailure, type CommandHandlers } from '../types.ts';

export const KV_APPLY = 'kv.apply';

export interface KvApplyBody {
  readonly operation: KvOperation;
  readonly entry: KvWrite;
}

export const kvCommands = { [KV_APPLY]: applyKv } satisfies CommandHandlers;

/** False when a compare-and-set, lock or unlock did not apply. */
function applyKv(txn: StateTxn, body: KvApplyBody, timeMs: number): boolean | CommandFailure {
  if (!isKvOperation(body?.operation) || !isKvWrite(body.entry)) {
    return new CommandFailure('invalid-argument', `malformed command ${KV_APPLY}`);
  }
  const { operation, entry } = body;
  switch (operation) {
    case 'set':
      kvSet(txn, entry);
      return true;
    case 'cas':
      return kvCas(txn, entry) !== undefined;
    case 'delete':
      kvDelete(txn, entry.Key);
      return true;
    case 'delete-cas':
      return kvDeleteCas(txn, entry.Key, entry.ModifyIndex);
    case 'delete-tree':
      kvDeleteTree(txn, entry.Key);
      return true;
    case 'lock':
      return isLockDelayed(txn, entry.Key, timeMs) ? false : applied(kvLock(txn, entry));
    case 'unlock':
      return applied(kvUnlock(txn, entry));
  }
}

function applied(written: object | undefined | CommandFailure): boolean | CommandFailure {
  return written instanceof CommandFailure ? written : written !== undefined;
}
