/** Bounds of the kept connections. */
export interface PoolLimits {
  readonly maxIdlePerInstance: number;
  readonly maxIdle: number;
  readonly idleTimeoutMs: number;
}

export const DEFAULT_POOL_LIMITS: PoolLimits = { maxIdlePerInstance: 256, maxIdle: 1024, idleTimeoutMs: 60_000 };

interface Idle<T> {
  readonly item: T;
  readonly sinceMs: number;
}

/**
 * Idle connections by instance. Pure: what must be closed is handed back, times come in.
 *
 * 1. Last in, first out: the rest grow old together and are closed.
 * 2. An item is either here or in use, never both.
 */
export class IdlePool<T> {
  readonly #limits: PoolLimits;
  readonly #idle = new Map<string, Idle<T>[]>();
  #size = 0;

  constructor(limits: PoolLimits = DEFAULT_POOL_LIMITS) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#size;
  }

  /** The most recently used one, which leaves the pool. */
  take(key: string): T | undefined {
    const stack = this.#idle.get(key);
    const idle = stack?.pop();
    if (stack === undefined || idle === undefined) return undefined;
    if (stack.length === 0) this.#idle.delete(key);
    this.#size--;
    return idle.item;
  }

  /** False when there is no room: the caller closes it. */
  put(key: string, item: T, nowMs: number): boolean {
    const stack = this.#idle.get(key);
    if (this.#size >= this.#limits.maxIdle || (stack?.length ?? 0) >= this.#limits.maxIdlePerInstance) return false;
    const idle = { item, sinceMs: nowMs };
    if (stack === undefined) this.#idle.set(key, [idle]);
    else stack.push(idle);
    this.#size++;
    return true;
  }

  /** An item that closed by itself. */
  remove(key: string, item: T): void {
    const stack = this.#idle.get(key);
    const index = stack?.findIndex((idle) => idle.item === item) ?? -1;
    if (stack === undefined || index < 0) return;
    stack.splice(index, 1);
    if (stack.length === 0) this.#idle.delete(key);
    this.#size--;
  }

  /** Takes out what has been idle for too long. */
  expire(nowMs: number): T[] {
    const expired: T[] = [];
    for (const [key, stack] of this.#idle) {
      const keepFrom = stack.findIndex((idle) => nowMs - idle.sinceMs < this.#limits.idleTimeoutMs);
      const count = keepFrom < 0 ? stack.length : keepFrom;
      for (const idle of stack.splice(0, count)) expired.push(idle.item);
      if (stack.length === 0) this.#idle.delete(key);
    }
    this.#size -= expired.length;
    return expired;
  }

  clear(): T[] {
    const all = [...this.#idle.values()].flat().map((idle) => idle.item);
    this.#idle.clear();
    this.#size = 0;
    return all;
  }
}
