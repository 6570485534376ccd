/** The same conflict comes with each rumour and each table: it is told once in so long. */
const SILENCE_MS = 30_000;
const MAX_CONFLICTS = 256;

/** Conflicts that were told lately. */
export class ConflictMemory {
  readonly #toldMs = new Map<string, number>();

  /** @returns whether it is to be told now */
  isNews(what: string, known: string, claimedFrom: string, nowMs: number): boolean {
    const key = `${what} ${known} ${claimedFrom}`;
    const toldMs = this.#toldMs.get(key);
    if (toldMs !== undefined && nowMs - toldMs < SILENCE_MS) return false;
    if (this.#toldMs.size >= MAX_CONFLICTS) this.#toldMs.clear();
    this.#toldMs.set(key, nowMs);
    return true;
  }
}
