/** Who has been away without a break for how long. */
export class Absences {
  readonly #afterMs: number;
  readonly #sinceMs = new Map<string, number>();

  constructor(afterMs: number) {
    this.#afterMs = afterMs;
  }

  clear(): void {
    this.#sinceMs.clear();
  }

  /** Those of `expected` (by key) that have not been `present` for the time; the values are what they are called. */
  missing(expected: ReadonlyMap<string, string>, present: ReadonlySet<string>, nowMs: number): readonly string[] {
    for (const key of this.#sinceMs.keys()) if (!expected.has(key) || present.has(key)) this.#sinceMs.delete(key);
    const missing: string[] = [];
    for (const [key, name] of expected) {
      if (present.has(key)) continue;
      const sinceMs = this.#sinceMs.get(key) ?? nowMs;
      this.#sinceMs.set(key, sinceMs);
      if (nowMs - sinceMs >= this.#afterMs) missing.push(name);
    }
    return missing;
  }
}
