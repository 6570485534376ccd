import type { KvEntry, ReadReply } from '@lictor/protocol';
import type { ServerProcess } from '../cluster/process.ts';
import { sameRow, type Version } from './kv-history.ts';
import type { Reference } from './reference.ts';

/** What a read was asked to be, and what held when it was asked. */
export interface ReadExpectation {
  readonly key: string;
  /** The answer shows at least the state at this index. */
  readonly floor: number;
  readonly describe: string;
}

export interface BlockedRead {
  readonly minIndex: number;
  readonly shownMs: number;
  readonly sinceMs: number;
  readonly pausedMs: number;
}

interface Commit {
  readonly index: number;
  readonly atMs: number;
}

/** How late, in virtual time, a committed change may reach who waits for it on the same server. */
const WAKE_MS = 100;

/** Are answers true, and as fresh as they claim to be? */
export class Answers {
  readonly #reference: Reference;
  readonly #report: (what: string) => void;
  readonly #nowMs: () => number;
  readonly #commits = new WeakMap<ServerProcess, Commit[]>();
  /** The highest index that any finished write or linearizable read has shown. */
  acknowledged = 0;

  constructor(reference: Reference, nowMs: () => number, report: (what: string) => void) {
    this.#reference = reference;
    this.#nowMs = nowMs;
    this.#report = report;
  }

  noteCommit(process: ServerProcess): void {
    const commits = this.#commits.get(process) ?? [];
    commits.push({ index: process.server.store.appliedIndex, atMs: this.#nowMs() });
    this.#commits.set(process, commits);
  }

  /** What a server's clients could have seen `WAKE_MS` ago: a blocked one answers with nothing older. */
  appliedLately(process: ServerProcess): number {
    const beforeMs = this.#nowMs() - WAKE_MS;
    return this.#commits.get(process)?.findLast(({ atMs }) => atMs <= beforeMs)?.index ?? 0;
  }

  acknowledge(index: number, what: string): void {
    if (!this.#reference.has(index)) this.#report(`durability: ${what} was acknowledged at ${index}, where no server has applied anything`);
    if (index > this.acknowledged) this.acknowledged = index;
  }

  /** @returns the version that was shown */
  read({ meta, value }: ReadReply<KvEntry | null>, { key, floor, describe }: ReadExpectation): Version | undefined {
    const { history } = this.#reference;
    const versions = history.versionsOf(key);
    const inForce = versions.findLastIndex(({ index }) => index <= floor);
    const candidates = versions.slice(Math.max(0, inForce)).filter(({ row }) => sameRow(row, value));
    const shown = candidates.find((version) => this.#isLabelledRight(key, version, meta.index));
    if (shown !== undefined) return shown;
    const known = versions.filter(({ row }) => sameRow(row, value));
    const found = value === null ? 'nothing' : `ModifyIndex ${value.ModifyIndex} LockIndex ${value.LockIndex} Session ${value.Session}`;
    const answer = `${describe} of ${key} answers ${found} at index ${meta.index}`;
    if (candidates.length > 0) this.#report(`index rule: ${answer}; it was so from ${String(candidates.at(-1)?.index)} on`);
    else if (known.length > 0)
      this.#report(`stale: ${answer}, which was over by ${floor}; in force since ${String(versions[inForce]?.index)}`);
    else this.#report(`never: ${answer}, which never was`);
    return undefined;
  }

  /** @returns an index at which it was so */
  list({ meta, value }: ReadReply<readonly KvEntry[]>, { key: prefix, floor, describe }: ReadExpectation): number | undefined {
    const { history } = this.#reference;
    const newest = Math.max(0, ...value.map(({ ModifyIndex }) => ModifyIndex));
    for (let index: number | undefined = floor; index !== undefined; index = history.changeAfter(prefix, index)) {
      const rows = history.rowsAt(prefix, index);
      if (rows.length !== value.length || !rows.every((row, position) => sameRow(row, value[position] ?? null))) continue;
      const next = history.changeAfter(prefix, index);
      if (meta.index >= newest && (next === undefined || next > meta.index || history.restores.includes(next))) return index;
    }
    const found = value.map(({ Key, ModifyIndex }) => `${Key}@${ModifyIndex}`).join(' ');
    this.#report(`list: ${describe} of ${prefix} answers ${found} at index ${meta.index}, which was not so from ${floor} on`);
    return undefined;
  }

  /** A reader that goes on from this index misses no change. */
  #isLabelledRight(key: string, { index, row }: Version, label: number): boolean {
    const { history } = this.#reference;
    if (row !== null && label < row.ModifyIndex) return false;
    if (row === null && label < index && history.restores.length === 0) return false;
    const next = history.changeAfter(key, index);
    return next === undefined || next > label || history.restores.includes(next);
  }

  /**
   * A blocked stale read was answered now: was it as soon as there was something to tell? The same reader had its answer before this one at
   * `shownMs`, and has seen what had happened until then.
   */
  woken(process: ServerProcess, key: string, { minIndex, shownMs, sinceMs, pausedMs }: BlockedRead): void {
    const { history } = this.#reference;
    const commitOf = (index: number): Commit | undefined => this.#commits.get(process)?.find((commit) => commit.index >= index);
    // What a restore brought, or took, before the question is not news: it is labelled with older indexes.
    const restored = history.restores.findLast((index) => (commitOf(index)?.atMs ?? Infinity) <= sinceMs) ?? 0;
    // Removals from below a prefix are forgotten after a while: the label goes back behind them then.
    const shown = key.endsWith('/') ? (this.#commits.get(process)?.findLast(({ atMs }) => atMs <= shownMs)?.index ?? 0) : 0;
    const change = history.changeAfter(key, Math.max(minIndex, restored, shown));
    const commit = change === undefined ? undefined : commitOf(change);
    if (change === undefined || commit === undefined) return;
    const lateMs = this.#nowMs() - Math.max(sinceMs, commit.atMs) - pausedMs;
    if (lateMs <= WAKE_MS) return;
    this.#report(
      `blocking query: ${process.machine.name} has ${key} at ${change}, and answers who waits from ${minIndex} on since ${sinceMs} ${lateMs} ms late (committed ${commit.atMs}, paused ${pausedMs})`,
    );
  }
}
