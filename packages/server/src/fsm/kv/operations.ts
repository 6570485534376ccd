import type { KvEntry, KvWrite } from '@lictor/protocol';
import { lockDelaysTable, MAX_LOCK_DELAY_MS } from '../../state/tables/lock-delays.ts';
import { kvTable } from '../../state/tables/kv.ts';
import { sessionsTable } from '../../state/tables/sessions.ts';
import type { StateReader, StateTxn } from '../../state/types.ts';
import { CommandFailure } from '../types.ts';

/** Writes the value and flags; lock and session stay. A write that changes nothing keeps its ModifyIndex and wakes nobody. */
export function kvSet(txn: StateTxn, write: KvWrite): KvEntry {
  const existing = txn.peek(kvTable, write.Key);
  return store(txn, existing, write, existing?.Session ?? '', existing?.LockIndex ?? 0);
}

/** ModifyIndex 0 asks that there be no such key. Undefined when the index is stale. */
export function kvCas(txn: StateTxn, write: KvWrite): KvEntry | undefined {
  const existing = txn.peek(kvTable, write.Key);
  return (existing?.ModifyIndex ?? 0) === write.ModifyIndex ? kvSet(txn, write) : undefined;
}

export function kvDelete(txn: StateTxn, key: string): void {
  txn.remove(kvTable, key);
}

/** True as well when there is nothing to delete. */
export function kvDeleteCas(txn: StateTxn, key: string, modifyIndex: number): boolean {
  const existing = txn.peek(kvTable, key);
  if (existing !== undefined && existing.ModifyIndex !== modifyIndex) return false;
  txn.remove(kvTable, key);
  return true;
}

export function kvDeleteTree(txn: StateTxn, prefix: string): void {
  for (const entry of txn.scan(kvTable, prefix)) txn.remove(kvTable, entry.Key);
}

/** Undefined when another session holds the lock. */
export function kvLock(txn: StateTxn, write: KvWrite): KvEntry | undefined | CommandFailure {
  if (write.Session === '') return new CommandFailure('rejected', 'missing session');
  if (txn.peek(sessionsTable, write.Session) === undefined) {
    return new CommandFailure('rejected', `invalid session ${JSON.stringify(write.Session)}`);
  }
  const existing = txn.peek(kvTable, write.Key);
  if (existing !== undefined && existing.Session !== '' && existing.Session !== write.Session) return undefined;
  txn.remove(lockDelaysTable, write.Key);
  const acquires = existing?.Session === write.Session ? 0 : 1;
  return store(txn, existing, write, write.Session, (existing?.LockIndex ?? 0) + acquires);
}

/** Undefined when the session does not hold the lock. */
export function kvUnlock(txn: StateTxn, write: KvWrite): KvEntry | undefined | CommandFailure {
  if (write.Session === '') return new CommandFailure('rejected', 'missing session');
  const existing = txn.peek(kvTable, write.Key);
  if (existing?.Session !== write.Session) return undefined;
  return store(txn, existing, write, '', existing.LockIndex);
}

/** Whether the key's lock was taken from a session so lately that nobody may have it yet. */
export function isLockDelayed(reader: StateReader, key: string, timeMs: number): boolean {
  const delay = reader.peek(lockDelaysTable, key);
  if (delay === undefined) return false;
  const remainingMs = delay.ExpiresMs - timeMs;
  return remainingMs > 0 && remainingMs <= MAX_LOCK_DELAY_MS;
}

function store(txn: StateTxn, existing: KvEntry | undefined, write: KvWrite, session: string, lockIndex: number): KvEntry {
  const next: KvEntry = {
    LockIndex: lockIndex,
    Key: write.Key,
    Flags: write.Flags,
    Value: write.Value,
    Session: session,
    CreateIndex: 0,
    ModifyIndex: 0,
  };
  return existing !== undefined && isSame(existing, next) ? existing : txn.put(kvTable, next);
}

function isSame(left: KvEntry, right: KvEntry): boolean {
  return (
    left.Session === right.Session &&
    left.LockIndex === right.LockIndex &&
    left.Flags === right.Flags &&
    Buffer.compare(left.Value, right.Value) === 0
  );
}
