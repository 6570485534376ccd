import type { KvEntry, KvOperation, KvWrite } from '@lictor/protocol';
import { kvTable } from '../../state/tables/kv.ts';
import type { StateTxn } from '../../state/types.ts';
import { CommandFailure, type CommandHandlers } from '../types.ts';

export interface KvApplyBody {
  readonly operation: KvOperation;
  readonly entry: KvWrite;
}

export const kvCommands = { 'kv.apply': applyKv } satisfies CommandHandlers;

/** False when a compare-and-set, lock or unlock did not apply. */
function applyKv(txn: StateTxn, body: KvApplyBody): boolean | CommandFailure {
  const { operation, entry } = body;
  switch (operation) {
    case 'set':
      kvSet(txn, entry);
      return true;
    case 'delete':
      txn.remove(kvTable, entry.Key);
      return true;
    default:
      return new CommandFailure('invalid-argument', `unknown KV operation: ${String(operation)}`);
  }
}

function kvSet(txn: StateTxn, write: KvWrite): KvEntry {
  const existing = txn.peek(kvTable, write.Key);
  return txn.put(kvTable, {
    Key: write.Key,
    Value: write.Value,
    Flags: write.Flags,
    Session: existing?.Session ?? '',
    LockIndex: existing?.LockIndex ?? 0,
    CreateIndex: 0,
    ModifyIndex: 0,
  });
}
