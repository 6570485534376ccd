import type { NodeView } from '../swim/index.ts';
import type { Member, MembershipEvent, MemberStatus } from '../types.ts';
import { RecentIntents } from './intents.ts';
import type { Intent, LeaveIntent } from './message.ts';

interface Entry {
  node: NodeView;
  status: MemberStatus;
  /** Lamport time of the status. */
  statusTime: number;
  /** When it left or failed. */
  goneMs: number;
}

export interface RosterTimeouts {
  readonly reconnectTimeoutMs: number;
  readonly tombstoneTimeoutMs: number;
  readonly recentIntentMs: number;
}

/**
 * Who is in the pool, with serf's statuses. SWIM says who is there; intents, with Lamport times, say who meant to go:
 *
 * alive -> leaving (intent) -> left (gone); alive -> failed (gone without intent) -> left (an operator's intent); any -> alive (joins again).
 */
export class Roster {
  readonly #entries = new Map<string, Entry>();
  readonly #intents = new RecentIntents();
  readonly #emit: (event: MembershipEvent) => void;

  constructor(emit: (event: MembershipEvent) => void) {
    this.#emit = emit;
  }

  members(): Member[] {
    return [...this.#entries.values()].map(memberOf);
  }

  member(name: string): Member | undefined {
    const entry = this.#entries.get(name);
    return entry === undefined ? undefined : memberOf(entry);
  }

  count(status: MemberStatus): number {
    let count = 0;
    for (const entry of this.#entries.values()) if (entry.status === status) count++;
    return count;
  }

  withStatus(status: MemberStatus): Member[] {
    return this.members().filter((member) => member.status === status);
  }

  statusTimeOf(name: string): number {
    return this.#entries.get(name)?.statusTime ?? 0;
  }

  statusTimes(): (readonly [string, number])[] {
    return [...this.#entries].map(([name, { statusTime }]) => [name, statusTime] as const);
  }

  joined(node: NodeView): void {
    const intent = this.#intents.take(node.name);
    const known = this.#entries.get(node.name);
    const entry: Entry = { node, status: 'alive', statusTime: known?.statusTime ?? 0, goneMs: 0 };
    if (intent !== undefined && intent.time > entry.statusTime) {
      entry.statusTime = intent.time;
      if (intent.type === 'leave-intent') entry.status = 'leaving';
    }
    this.#entries.set(node.name, entry);
    this.#emit({ type: 'join', member: memberOf(entry) });
  }

  updated(node: NodeView): void {
    const entry = this.#entries.get(node.name);
    if (entry === undefined) return;
    entry.node = node;
    this.#emit({ type: 'update', member: memberOf(entry) });
  }

  gone(node: NodeView, meantTo: boolean, nowMs: number): void {
    const entry = this.#entries.get(node.name);
    if (entry === undefined) return;
    entry.node = node;
    entry.goneMs = nowMs;
    entry.status = meantTo || entry.status === 'leaving' ? 'left' : 'failed';
    this.#emit({ type: entry.status === 'left' ? 'leave' : 'failed', member: memberOf(entry) });
  }

  /** This member's own entry, which no one else changes. */
  setSelf(node: NodeView, status: MemberStatus, time: number): void {
    this.#entries.set(node.name, { node, status, statusTime: time, goneMs: 0 });
  }

  /** @returns whether it is news, and told on */
  intent(intent: Intent, nowMs: number): boolean {
    const entry = this.#entries.get(intent.node);
    if (entry === undefined) return this.#intents.add(intent, nowMs);
    const isNew = intent.time > entry.statusTime;
    if (intent.type === 'leave-intent') return this.#leaveIntent(entry, intent, isNew, nowMs);
    if (!isNew) return false;
    entry.statusTime = intent.time;
    if (entry.status === 'leaving') entry.status = 'alive';
    return true;
  }

  /** Those whose time is over. */
  reap(nowMs: number, { reconnectTimeoutMs, tombstoneTimeoutMs, recentIntentMs }: RosterTimeouts): string[] {
    this.#intents.reap(nowMs, recentIntentMs);
    const reaped: string[] = [];
    for (const [name, { status, goneMs }] of this.#entries) {
      const timeoutMs = status === 'failed' ? reconnectTimeoutMs : status === 'left' ? tombstoneTimeoutMs : Infinity;
      if (nowMs - goneMs > timeoutMs && this.erase(name)) reaped.push(name);
    }
    return reaped;
  }

  erase(name: string): boolean {
    const entry = this.#entries.get(name);
    if (entry === undefined || !this.#entries.delete(name)) return false;
    this.#emit({ type: 'reap', member: memberOf(entry) });
    return true;
  }

  #leaveIntent(entry: Entry, intent: LeaveIntent, isNew: boolean, nowMs: number): boolean {
    if (!isNew) return false;
    const { time, prune } = intent;
    entry.statusTime = time;
    if (entry.status === 'alive') entry.status = 'leaving';
    else if (entry.status === 'failed') {
      entry.status = 'left';
      entry.goneMs = nowMs;
      this.#emit({ type: 'leave', member: memberOf(entry) });
    }
    if (prune && entry.status === 'left') {
      this.erase(entry.node.name);
      // Older intents of it are still under way, and must not count as news.
      this.#intents.add(intent, nowMs);
    }
    return true;
  }
}

export function memberOf({ node, status }: { readonly node: NodeView; readonly status: MemberStatus }): Member {
  const { name, id, address, tags, versions } = node;
  return { name, id, address, tags, status, protocolVersion: versions.current };
}
