import { Buffer } from 'node:buffer';
import type { KvEntry } from '@lictor/protocol';
import { LockError } from './lock-error.ts';

/** Content of a semaphore's coordinating entry. */
export interface Slots {
  readonly limit: number;
  /** Session ids. */
  readonly holders: Set<string>;
}

/** Empty slots for an entry that is not there. @throws LockError */
export function decodeSlots(entry: KvEntry | undefined, limit: number): Slots {
  if (entry === undefined || entry.Value.length === 0) return { limit, holders: new Set() };
  try {
    const { Limit, Holders } = JSON.parse(Buffer.from(entry.Value).toString('utf8')) as {
      readonly Limit?: number;
      readonly Holders?: Readonly<Record<string, boolean>> | null;
    };
    return { limit: Number(Limit ?? 0), holders: new Set(Object.keys(Holders ?? {})) };
  } catch (error) {
    throw new LockError('failed', `lock decoding failed: ${error instanceof Error ? error.message : String(error)}`, error);
  }
}

export function encodeSlots({ limit, holders }: Slots): string {
  return JSON.stringify({ Limit: limit, Holders: Object.fromEntries([...holders].map((id) => [id, true])) });
}

/** A holder is alive while its contender entry is held by its session. */
export function withoutDeadHolders(slots: Slots, entries: readonly KvEntry[]): Slots {
  const alive = new Set(entries.map(({ Session }) => Session).filter((session) => session !== ''));
  return { limit: slots.limit, holders: new Set([...slots.holders].filter((id) => alive.has(id))) };
}
