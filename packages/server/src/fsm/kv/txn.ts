import type { KvEntry, TxnOperation, TxnResult } from '@lictor/protocol';
import { kvTable } from '../../state/tables/kv.ts';
import type { StateTxn } from '../../state/types.ts';
import { CommandFailure } from '../types.ts';
import { isLockDelayed, kvCas, kvDelete, kvDeleteCas, kvDeleteTree, kvLock, kvSet, kvUnlock } from './operations.ts';

export type TxnKvOperation = Extract<TxnOperation, { readonly KV: object }>['KV'];

/** The results of one KV operation of a transaction; a string says why the transaction must roll back. */
export function txnKv(txn: StateTxn, operation: TxnKvOperation): readonly TxnResult[] | string {
  switch (operation.Verb) {
    case 'get':
    case 'get-or-empty':
    case 'get-tree':
      return read(txn, operation);
    case 'check-index':
    case 'check-session':
    case 'check-not-exists':
      return check(txn, operation);
    default:
      return write(txn, operation);
  }
}

function read(txn: StateTxn, { Verb, Key, Flags, Session }: TxnKvOperation): readonly TxnResult[] | string {
  if (Verb === 'get-tree') return [...txn.scan(kvTable, Key)].map((entry) => ({ KV: entry }));
  const entry = txn.get(kvTable, Key);
  if (entry !== undefined) return [{ KV: entry }];
  if (Verb === 'get') return `key ${JSON.stringify(Key)} doesn't exist`;
  return [{ KV: { LockIndex: 0, Key, Flags, Value: null, Session, CreateIndex: 0, ModifyIndex: 0 } }];
}

function check(txn: StateTxn, { Verb, Key, ModifyIndex, Session }: TxnKvOperation): readonly TxnResult[] | string {
  const entry = txn.get(kvTable, Key);
  const key = JSON.stringify(Key);
  if (Verb === 'check-not-exists') return entry === undefined ? [] : `key ${key} exists`;
  const subject = Verb === 'check-index' ? 'index' : 'session';
  if (entry === undefined) return `failed to check ${subject}, key ${key} doesn't exist`;
  if (Verb === 'check-index' && entry.ModifyIndex !== ModifyIndex) {
    return `failed index check for key ${key}, current modify index ${entry.ModifyIndex} != ${ModifyIndex}`;
  }
  if (Verb === 'check-session' && entry.Session !== Session) {
    return `failed session check for key ${key}, current session ${JSON.stringify(entry.Session)} != ${JSON.stringify(Session)}`;
  }
  return withoutValue(entry);
}

function write(txn: StateTxn, operation: TxnKvOperation): readonly TxnResult[] | string {
  const key = JSON.stringify(operation.Key);
  switch (operation.Verb) {
    case 'set':
      return withoutValue(kvSet(txn, operation));
    case 'cas':
      return withoutValue(kvCas(txn, operation)) ?? `failed to set key ${key}, index is stale`;
    case 'lock':
      if (isLockDelayed(txn, operation.Key, txn.timeMs)) return `failed to lock key ${key} due to lock delay`;
      return resultOf(kvLock(txn, operation), `failed to lock key ${key}, lock is already held`);
    case 'unlock':
      return resultOf(kvUnlock(txn, operation), `failed to unlock key ${key}, lock isn't held, or is held by another session`);
    case 'delete':
      kvDelete(txn, operation.Key);
      return [];
    case 'delete-cas':
      return kvDeleteCas(txn, operation.Key, operation.ModifyIndex) ? [] : `failed to delete key ${key}, index is stale`;
    case 'delete-tree':
      kvDeleteTree(txn, operation.Key);
      return [];
    default:
      return `unknown KV verb ${JSON.stringify(operation.Verb)}`;
  }
}

function resultOf(written: KvEntry | undefined | CommandFailure, refusal: string): readonly TxnResult[] | string {
  if (written instanceof CommandFailure) return written.message;
  return written === undefined ? refusal : withoutValue(written);
}

/** Writers know the value already, so their results do without. */
function withoutValue(entry: KvEntry): readonly TxnResult[];
function withoutValue(entry: KvEntry | undefined): readonly TxnResult[] | undefined;
function withoutValue(entry: KvEntry | undefined): readonly TxnResult[] | undefined {
  return entry === undefined ? undefined : [{ KV: { ...entry, Value: null } }];
}
