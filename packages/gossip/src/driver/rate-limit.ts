interface Bucket {
  tokens: number;
  atMs: number;
}

/** So many at once, and so many a second, from each source; sources that were not heard for long are forgotten. */
export class RateLimit {
  readonly #perSecond: number;
  readonly #burst: number;
  readonly #maxSources: number;
  readonly #buckets = new Map<string, Bucket>();

  constructor(perSecond: number, burst: number, maxSources = 4096) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#maxSources = maxSources;
  }

  /** @returns whether this one may pass */
  take(source: string, nowMs: number): boolean {
    const bucket = this.#buckets.get(source) ?? this.#add(source, nowMs);
    bucket.tokens = Math.min(this.#burst, bucket.tokens + ((nowMs - bucket.atMs) / 1000) * this.#perSecond);
    bucket.atMs = nowMs;
    if (bucket.tokens < 1) return false;
    bucket.tokens--;
    return true;
  }

  /** The first ones of the map are those that came first. */
  #add(source: string, nowMs: number): Bucket {
    if (this.#buckets.size >= this.#maxSources) {
      const [oldest] = this.#buckets.keys();
      if (oldest !== undefined) this.#buckets.delete(oldest);
    }
    const bucket = { tokens: this.#burst, atMs: nowMs };
    this.#buckets.set(source, bucket);
    return bucket;
  }
}
