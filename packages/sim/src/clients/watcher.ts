import type { Consistency, KvEntry, ReadReply } from '@lictor/protocol';
import type { ServerProcess } from '../cluster/process.ts';
import type { ReadExpectation } from '../observers/answers.ts';
import type { Answer } from './caller.ts';
import { KEYS } from './kv-client.ts';
import { LOCKS } from './lock-client.ts';
import { CALL_MS, type ClientWorld, pick, think } from './world.ts';

/** The last one is a prefix: all keys below it. */
const PREFIX = 'k/';
const WATCHED = [...KEYS, ...LOCKS, PREFIX, PREFIX];
/** Beyond its time: the jitter of a sixteenth, and a clock that runs apart. */
const OVERTIME = 1.25;

interface Question {
  readonly minIndex: number;
  /** When it was last answered. */
  readonly shownMs: number;
  readonly waitMs: number;
}

/** Follows a key by blocking queries, at one server for as long as that lives. */
export class Watcher {
  readonly #world: ClientWorld;
  readonly #key: string;
  readonly #consistency: Consistency;

  constructor(world: ClientWorld) {
    this.#world = world;
    this.#key = pick(world.random, WATCHED) ?? KEYS[0];
    this.#consistency = pick<Consistency>(world.random, ['stale', 'stale', 'default', 'consistent']) ?? 'stale';
  }

  async run(): Promise<void> {
    while (!this.#world.isOver) {
      await think(this.#world);
      const server = pick(this.#world.random, this.#world.servers());
      if (server !== undefined) await this.#follow(server);
    }
  }

  /** Until the server is gone, or the watcher moves on. */
  async #follow(server: ServerProcess): Promise<void> {
    const { random } = this.#world;
    let minIndex = 0;
    let shownMs = 0;
    while (server.isUp && !this.#world.isOver && random.float() > 0.05) {
      this.#world.counts.operations++;
      const waitMs = pick(random, [300, 1000, 3000]) ?? 1000;
      const answer = await this.#block(server, { minIndex, shownMs, waitMs });
      const answeredMs = this.#world.scheduler.nowMs;
      if (answer.kind !== 'ok') {
        await think(this.#world);
        continue;
      }
      // An index that goes back says that the state was replaced: it begins anew.
      const { index } = answer.reply.meta;
      minIndex = index < minIndex ? 0 : index;
      shownMs = answeredMs;
    }
  }

  #block(server: ServerProcess, { minIndex, shownMs, waitMs }: Question): Promise<Answer<ReadReply<unknown>>> {
    const { caller, answers, counts, scheduler } = this.#world;
    const isStale = this.#consistency === 'stale';
    const key = this.#key;
    let floor = 0;
    let sinceMs = 0;
    const before = (): void => {
      sinceMs = scheduler.nowMs;
      floor = isStale ? server.server.store.appliedIndex : answers.acknowledged;
    };
    const after = (answer: Answer<ReadReply<KvEntry | null | readonly KvEntry[]>>): void => {
      if (answer.kind !== 'ok') return;
      counts.blockingReads++;
      const { reply } = answer;
      const pausedMs = this.#world.pausedSince(server, sinceMs);
      if (isStale && pausedMs === 0) floor = Math.max(floor, answers.appliedLately(server));
      const describe = `${this.#consistency} blocking read from ${minIndex} on at ${server.machine.name}`;
      const shown = this.#check(reply, { key, floor, describe });
      if (isStale) answers.woken(server, key, { minIndex, shownMs, sinceMs, pausedMs });
      else answers.acknowledged = Math.max(answers.acknowledged, shown ?? 0);
      this.#checkOrder(server, minIndex, reply.meta.index);
    };
    const options = { query: { consistency: this.#consistency, minIndex, maxWaitMs: waitMs } };
    const withinMs = isStale ? waitMs * OVERTIME : waitMs * OVERTIME + CALL_MS;
    if (key === PREFIX) return caller.call(server, 'KVS.List', { prefix: key }, options, { before, after, withinMs });
    return caller.call(server, 'KVS.Get', { key }, options, { before, after, withinMs });
  }

  /** From when on it was so. */
  #check({ meta, value }: ReadReply<KvEntry | null | readonly KvEntry[]>, expectation: ReadExpectation): number | undefined {
    const { answers } = this.#world;
    return Array.isArray(value)
      ? answers.list({ meta, value: value as readonly KvEntry[] }, expectation)
      : answers.read({ meta, value: value as KvEntry | null }, expectation)?.index;
  }

  /** On one server the index of an answer never goes back, unless the state was replaced. */
  #checkOrder(server: ServerProcess, minIndex: number, index: number): void {
    const { reference, report } = this.#world;
    // What was removed from below a prefix is forgotten after a while.
    if (this.#key === PREFIX) return;
    if (this.#consistency !== 'stale' || index >= minIndex || reference.history.restores.length > 0) return;
    report(`blocking query: the index of ${this.#key} at ${server.machine.name} goes back from ${minIndex} to ${index}`);
  }
}
