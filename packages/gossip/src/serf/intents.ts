import type { Intent } from './message.ts';

interface Remembered {
  readonly intent: Intent;
  readonly atMs: number;
}

const MAX_INTENTS = 4096;

/** Intents of members that are not known yet: gossip brings things in any order. */
export class RecentIntents {
  readonly #byNode = new Map<string, Remembered>();

  /** @returns whether it is newer than what was known */
  add(intent: Intent, nowMs: number): boolean {
    const known = this.#byNode.get(intent.node);
    if (known !== undefined && known.intent.time >= intent.time) return false;
    if (known === undefined && this.#byNode.size >= MAX_INTENTS) return false;
    this.#byNode.set(intent.node, { intent, atMs: nowMs });
    return true;
  }

  take(node: string): Intent | undefined {
    const intent = this.#byNode.get(node)?.intent;
    this.#byNode.delete(node);
    return intent;
  }

  reap(nowMs: number, maxAgeMs: number): void {
    for (const [node, { atMs }] of this.#byNode) if (nowMs - atMs > maxAgeMs) this.#byNode.delete(node);
  }
}
