import type { Message } from './message.ts';

interface Item {
  readonly key: string | undefined;
  readonly message: Message;
  readonly bytes: number;
  transmits: number;
}

/** In a datagram: their count is one byte. */
export const MAX_PIGGYBACKED = 200;

/**
 * What waits to ride on datagrams (SWIM 4.1). What was sent least goes first, the older of two alike; what was sent often enough is forgotten; and
 * news of the same key replaces what was said before.
 */
export class BroadcastQueue {
  readonly #maxItems: number;
  /** By times sent; sets keep their order. */
  readonly #rounds: Set<Item>[] = [];
  readonly #byKey = new Map<string, Item>();
  #size = 0;

  constructor(maxItems: number) {
    this.#maxItems = maxItems;
  }

  get size(): number {
    return this.#size;
  }

  has(key: string): boolean {
    return this.#byKey.has(key);
  }

  /** @returns whether something had to be dropped for it */
  push(message: Message, bytes: number, key?: string): boolean {
    const older = key === undefined ? undefined : this.#byKey.get(key);
    if (older !== undefined) this.#remove(older);
    const isFull = this.#size >= this.#maxItems;
    if (isFull) this.#dropMostSent();
    this.#add({ key, message, bytes, transmits: 0 });
    return isFull;
  }

  /** Takes what fits; each counts as sent, and goes for good when it was sent `limit` times. */
  take(budgetBytes: number, limit: number, maxCount = MAX_PIGGYBACKED): Message[] {
    if (this.#size === 0) return [];
    let leftBytes = budgetBytes;
    const taken: Item[] = [];
    for (const round of this.#rounds) {
      for (const item of round) {
        if (taken.length >= maxCount) break;
        if (item.bytes > leftBytes) continue;
        leftBytes -= item.bytes;
        taken.push(item);
      }
    }
    for (const item of taken) {
      this.#remove(item);
      if (++item.transmits < limit) this.#add(item);
    }
    return taken.map(({ message }) => message);
  }

  #add(item: Item): void {
    let round = this.#rounds[item.transmits];
    while (round === undefined) {
      this.#rounds.push(new Set());
      round = this.#rounds[item.transmits];
    }
    round.add(item);
    if (item.key !== undefined) this.#byKey.set(item.key, item);
    this.#size++;
  }

  #remove(item: Item): void {
    if (this.#rounds[item.transmits]?.delete(item) !== true) return;
    if (item.key !== undefined && this.#byKey.get(item.key) === item) this.#byKey.delete(item.key);
    this.#size--;
  }

  #dropMostSent(): void {
    for (const round of this.#rounds.toReversed()) {
      for (const item of round) {
        this.#remove(item);
        return;
      }
    }
  }
}
