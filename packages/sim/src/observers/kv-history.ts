import type { KvEntry } from '@lictor/protocol';
import { kvTable, sessionsTable, type StateStore } from '@lictor/server/internal';

/** A key from `index` on; null: it is not there. */
export interface Version {
  readonly index: number;
  readonly row: KvEntry | null;
}

export interface SessionLife {
  readonly createdIndex: number;
  endedIndex: number | undefined;
  endedMs: number | undefined;
}

/** What keys and sessions there were at each index, as the reference has applied them. */
export class KvHistory {
  readonly #versions = new Map<string, Version[]>();
  readonly sessions = new Map<string, SessionLife>();
  readonly #report: (what: string) => void;
  #kvIndex = 0;
  #sessionIndex = 0;
  /** At these indexes everything was replaced: what was there before is gone. */
  readonly restores: number[] = [];

  constructor(report: (what: string) => void) {
    this.#report = report;
  }

  /** Ascending; the first is what there was before anybody wrote. */
  versionsOf(key: string): readonly Version[] {
    return this.#versions.get(key) ?? NEVER;
  }

  at(key: string, index: number): Version {
    return this.versionsOf(key).findLast((version) => version.index <= index) ?? NEVER[0];
  }

  /** When the key, or for a prefix that ends in a slash a key below it, changed next; undefined: not yet. */
  changeAfter(key: string, index: number): number | undefined {
    if (!key.endsWith('/')) return this.versionsOf(key).find((version) => version.index > index)?.index;
    const changes = this.#under(key).flatMap((each) => this.changeAfter(each, index) ?? []);
    return changes.length === 0 ? undefined : Math.min(...changes);
  }

  /** In key order. */
  rowsAt(prefix: string, index: number): readonly KvEntry[] {
    return this.#under(prefix).flatMap((key) => this.at(key, index).row ?? []);
  }

  #under(prefix: string): readonly string[] {
    return [...this.#versions.keys()].filter((key) => key.startsWith(prefix)).sort();
  }

  /** The reference has just applied the entry that made it `index`. */
  applied(store: StateStore, index: number, isRestore: boolean, nowMs: number): void {
    if (isRestore) this.restores.push(index);
    const kvIndex = store.table(kvTable).index;
    const sessionIndex = store.table(sessionsTable).index;
    const kvChanged = isRestore || kvIndex !== this.#kvIndex;
    const sessionsChanged = isRestore || sessionIndex !== this.#sessionIndex;
    this.#kvIndex = kvIndex;
    this.#sessionIndex = sessionIndex;
    if (sessionsChanged) this.#noteSessions(store, index, nowMs);
    if (kvChanged) this.#noteKeys(store, index, isRestore);
    if (kvChanged || sessionsChanged) this.#checkHolders(store, index);
  }

  #noteSessions(store: StateStore, index: number, nowMs: number): void {
    const live = new Set<string>();
    store.table(sessionsTable).rows.forEach('', (_row, id) => live.add(id));
    for (const id of live) {
      if (!this.sessions.has(id)) this.sessions.set(id, { createdIndex: index, endedIndex: undefined, endedMs: undefined });
    }
    for (const [id, life] of this.sessions) {
      if (live.has(id) || life.endedIndex !== undefined) continue;
      life.endedIndex = index;
      life.endedMs = nowMs;
    }
  }

  #noteKeys(store: StateStore, index: number, isRestore: boolean): void {
    const live = new Set<string>();
    store.table(kvTable).rows.forEach('', (row, key) => {
      live.add(key);
      this.#note(key, index, row as KvEntry, isRestore);
    });
    for (const key of this.#versions.keys()) if (!live.has(key)) this.#note(key, index, null, isRestore);
  }

  #note(key: string, index: number, row: KvEntry | null, isRestore: boolean): void {
    const versions = this.#versions.get(key) ?? [NEVER[0]];
    const before = versions.at(-1)?.row ?? null;
    if (before === row) return;
    if (!isRestore) this.#checkLock(key, index, before, row);
    versions.push({ index, row });
    this.#versions.set(key, versions);
  }

  /** Fencing: each new holder has a higher LockIndex, and nobody takes a lock that another holds. */
  #checkLock(key: string, index: number, before: KvEntry | null, row: KvEntry | null): void {
    if (row !== null && row.ModifyIndex !== index) this.#report(`index rule: ${key} changed at ${index} and says ${row.ModifyIndex}`);
    if (before === null || row === null || before.Session === row.Session) return;
    if (row.Session === '') return;
    if (before.Session !== '') this.#report(`lock: at ${index} ${key} goes from session ${before.Session} to ${row.Session}`);
    if (row.LockIndex <= before.LockIndex) this.#report(`fencing: at ${index} ${key} has a new holder with LockIndex ${row.LockIndex}`);
  }

  #checkHolders(store: StateStore, index: number): void {
    store.table(kvTable).rows.forEach('', (row) => {
      const { Key, Session } = row as KvEntry;
      if (Session === '' || store.table(sessionsTable).rows.get(Session) !== undefined) return;
      this.#report(`lock: at ${index} ${Key} is held by session ${Session}, which is over`);
    });
  }
}

const NEVER: readonly [Version] = [{ index: 0, row: null }];

export function sameRow(left: KvEntry | null, right: KvEntry | null): boolean {
  if (left === null || right === null) return left === right;
  return (
    left.ModifyIndex === right.ModifyIndex &&
    left.CreateIndex === right.CreateIndex &&
    left.LockIndex === right.LockIndex &&
    left.Session === right.Session &&
    left.Flags === right.Flags &&
    Buffer.compare(left.Value, right.Value) === 0
  );
}
