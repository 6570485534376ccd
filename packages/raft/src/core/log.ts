import { type Entry, entryBytes, type Membership, type SnapshotMeta } from './entry.ts';
import { assertInvariant } from './errors.ts';
import { decodeMembership } from './membership.ts';

interface MembershipAt {
  readonly index: number;
  readonly membership: Membership;
}

/**
 * The log behind a base, in memory: entries that have been compacted away are the snapshot's.
 *
 * 1. Entries are contiguous; the first one follows `base`.
 * 2. `applied` <= `committed` <= `lastIndex`; nothing at or below `committed` is ever truncated.
 * 3. `stable` <= `lastIndex`: the prefix that storage has acknowledged.
 * 4. `membership` is the latest in the log, committed or not (Raft 6).
 */
export class RaftLog {
  #base: { readonly index: number; readonly term: number };
  #entries: Entry[];
  #snapshot: SnapshotMeta;
  #memberships: MembershipAt[];
  #committed: number;
  #stable: number;
  /** First index that storage has not been given yet. */
  #unsaved: number;

  constructor(snapshot: SnapshotMeta, entries: readonly Entry[], committed: number) {
    this.#snapshot = snapshot;
    this.#base = { index: snapshot.index, term: snapshot.term };
    this.#entries = [];
    this.#memberships = [{ index: snapshot.index, membership: snapshot.membership }];
    for (const entry of entries) if (entry.index > snapshot.index) this.#push(entry);
    this.#stable = this.lastIndex;
    this.#unsaved = this.lastIndex + 1;
    this.#committed = Math.min(Math.max(committed, snapshot.index), this.lastIndex);
  }

  get snapshot(): SnapshotMeta {
    return this.#snapshot;
  }

  get firstIndex(): number {
    return this.#base.index + 1;
  }

  get lastIndex(): number {
    return this.#base.index + this.#entries.length;
  }

  get lastTerm(): number {
    return this.#entries.at(-1)?.term ?? this.#base.term;
  }

  get committed(): number {
    return this.#committed;
  }

  get stable(): number {
    return this.#stable;
  }

  get membership(): Membership {
    return this.#latestMembership().membership;
  }

  /** Where the present membership stands in the log. */
  get membershipIndex(): number {
    return this.#latestMembership().index;
  }

  /** Each that may turn out to be in force: the one at the commit index, and all behind it. */
  get possibleMemberships(): readonly Membership[] {
    const from = this.#memberships.findLastIndex(({ index }) => index <= this.#committed);
    return this.#memberships.slice(Math.max(0, from)).map(({ membership }) => membership);
  }

  /** In force at an index of this log. */
  membershipAt(index: number): Membership {
    const found = this.#memberships.findLast((at) => at.index <= index);
    assertInvariant(found !== undefined, `membership at ${index} is compacted away`);
    return found.membership;
  }

  /** Undefined for what is compacted away or does not exist. */
  termOf(index: number): number | undefined {
    if (index === this.#base.index) return this.#base.term;
    return this.#entries[index - this.firstIndex]?.term;
  }

  /** Entries from `from` on, as many as fit; at least one when there is one. `to` is inclusive. */
  slice(from: number, to: number, maxBytes = Infinity): readonly Entry[] {
    const start = from - this.firstIndex;
    assertInvariant(start >= 0, `entries from ${from} are compacted away, the log begins at ${this.firstIndex}`);
    let end = start;
    let bytes = 0;
    for (const stop = to - this.firstIndex; end <= stop; end++) {
      const entry = this.#entries[end];
      if (entry === undefined) break;
      bytes += entryBytes(entry);
      if (bytes > maxBytes && end > start) break;
    }
    return this.#entries.slice(start, end);
  }

  /** Is a log that ends so at least as complete as this one (Raft 5.4.1)? */
  isUpToDate(lastIndex: number, lastTerm: number): boolean {
    return lastTerm > this.lastTerm || (lastTerm === this.lastTerm && lastIndex >= this.lastIndex);
  }

  /** The leader's own. */
  append(entries: readonly Entry[]): void {
    for (const entry of entries) this.#push(entry);
  }

  /**
   * A follower's: entries behind a `prevIndex` that matches. What conflicts is truncated, what is there already is kept (Raft 5.3).
   */
  merge(entries: readonly Entry[]): void {
    const position = entries.findIndex((entry) => this.termOf(entry.index) !== entry.term);
    const first = entries[position];
    if (first === undefined) return;
    if (first.index <= this.lastIndex) this.#truncate(first.index);
    this.append(entries.slice(position));
  }

  /** The last index at or before `index` whose term is at most `term`: where the two logs may meet (fast backtracking, Raft 5.3). */
  findConflict(index: number, term: number): { readonly index: number; readonly term: number } {
    for (let at = Math.min(index, this.lastIndex); at >= this.#base.index; at--) {
      const here = this.termOf(at);
      if (here !== undefined && here <= term) return { index: at, term: here };
    }
    return { index: 0, term: 0 };
  }

  commitTo(index: number): void {
    if (index <= this.#committed) return;
    assertInvariant(index <= this.lastIndex, `commit of ${index} beyond the last entry ${this.lastIndex}`);
    this.#committed = index;
  }

  /** What storage has not been given yet; from here on it counts as given. */
  takeUnsaved(): readonly Entry[] {
    const entries = this.#unsaved > this.lastIndex ? [] : this.slice(this.#unsaved, this.lastIndex);
    this.#unsaved = this.lastIndex + 1;
    return entries;
  }

  /** Storage holds everything through this entry, unless it was truncated meanwhile. */
  stableTo(index: number, term: number): void {
    if (index > this.#stable && this.termOf(index) === term) this.#stable = index;
  }

  /** The state machine's snapshot through `meta.index` is durable: entries through `keepFrom - 1` can go. */
  compact(meta: SnapshotMeta, keepFrom: number): void {
    assertInvariant(meta.index <= this.#committed, `snapshot at ${meta.index} beyond commit ${this.#committed}`);
    if (meta.index > this.#snapshot.index) this.#snapshot = meta;
    const through = Math.min(keepFrom - 1, this.#snapshot.index, this.#stable);
    if (through <= this.#base.index) return;
    const term = this.termOf(through);
    assertInvariant(term !== undefined, `no term at ${through}`);
    this.#entries.splice(0, through - this.#base.index);
    this.#base = { index: through, term };
    const kept = this.#memberships.findLastIndex(({ index }) => index <= through);
    this.#memberships.splice(0, Math.max(0, kept));
  }

  /** Everything is replaced by a snapshot from the leader. */
  restore(meta: SnapshotMeta): void {
    assertInvariant(meta.index > this.#committed, `snapshot at ${meta.index} is not ahead of commit ${this.#committed}`);
    this.#snapshot = meta;
    this.#base = { index: meta.index, term: meta.term };
    this.#entries = [];
    this.#memberships = [{ index: meta.index, membership: meta.membership }];
    this.#committed = meta.index;
    this.#stable = meta.index;
    this.#unsaved = meta.index + 1;
  }

  #push(entry: Entry): void {
    assertInvariant(entry.index === this.lastIndex + 1, `entry ${entry.index} behind ${this.lastIndex}`);
    assertInvariant(entry.term >= this.lastTerm, `term ${entry.term} behind ${this.lastTerm}`);
    this.#entries.push(entry);
    if (entry.kind === 'membership') this.#memberships.push({ index: entry.index, membership: decodeMembership(entry.data) });
  }

  #truncate(from: number): void {
    assertInvariant(from > this.#committed, `truncation at ${from} of committed ${this.#committed}`);
    this.#entries.length = from - this.firstIndex;
    while ((this.#memberships.at(-1)?.index ?? 0) >= from) this.#memberships.pop();
    this.#stable = Math.min(this.#stable, from - 1);
    this.#unsaved = Math.min(this.#unsaved, from);
  }

  #latestMembership(): MembershipAt {
    const latest = this.#memberships.at(-1);
    assertInvariant(latest !== undefined, 'no membership');
    return latest;
  }
}
