/** Entries from `index` on were written after `atMs`. */
interface Mark {
  readonly index: number;
  readonly atMs: number;
}

const MARK_EVERY_MS = 1000;
const MAX_MARKS = 2048;

/** How old the log's first entry is, to about a second; entries do not say when they were written. What a restart has found is as old as that. */
export class LogAge {
  #marks: Mark[] = [];

  /** Now and then, with where the log begins and ends. Returns the age in milliseconds; 0 for an empty log. */
  at(firstIndex: number, lastIndex: number, nowMs: number): number {
    const latest = this.#marks.at(-1);
    if (latest === undefined) this.#marks.push({ index: firstIndex, atMs: nowMs });
    else if (lastIndex < latest.index) this.#marks[this.#marks.length - 1] = { index: latest.index, atMs: nowMs };
    else if (nowMs - latest.atMs >= MARK_EVERY_MS) this.#marks.push({ index: lastIndex + 1, atMs: nowMs });
    // The mark before the log's beginning tells its age; older ones tell nothing.
    const before = this.#marks.findLastIndex(({ index }) => index <= firstIndex);
    if (before > 0) this.#marks.splice(0, before);
    if (this.#marks.length > MAX_MARKS) this.#marks = this.#marks.filter((_, position) => position % 2 === 0);
    if (lastIndex < firstIndex) return 0;
    return nowMs - (this.#marks[0]?.atMs ?? nowMs);
  }
}
