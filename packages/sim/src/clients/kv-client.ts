import type { CallOptions, Consistency, KvEntry, KvOperation, KvWrite, ReadReply, WriteReply } from '@lictor/protocol';
import type { ServerProcess } from '../cluster/process.ts';
import type { Answer } from './caller.ts';
import { CALL_MS, type ClientWorld, pick, think } from './world.ts';

export const KEYS = ['k/0', 'k/1', 'k/2', 'k/3', 'k/4', 'k/5'] as const;

const STALE: Consistency = 'stale';

/** A client of the key-value store: any operation, of any server, one after the other. */
export class KvClient {
  readonly #world: ClientWorld;
  /** What it has last seen of a key: for compare-and-set. */
  readonly #seen = new Map<string, number>();
  /** Of its last write: it wants to read it. */
  #lastWrite: { readonly key: string; readonly index: number } | undefined;
  #server: ServerProcess | undefined;

  constructor(world: ClientWorld) {
    this.#world = world;
  }

  async run(): Promise<void> {
    const { random } = this.#world;
    while (!this.#world.isOver) {
      await think(this.#world);
      const server = this.#chooseServer();
      if (server === undefined) continue;
      this.#world.counts.operations++;
      const dice = random.float();
      const key = pick(random, KEYS) ?? KEYS[0];
      if (dice < 0.25) await this.#write(server, 'set', key);
      else if (dice < 0.35) await this.#write(server, 'cas', key);
      else if (dice < 0.4) await this.#write(server, 'delete', key);
      else if (dice < 0.44) await this.#write(server, 'delete-cas', key);
      else if (dice < 0.5) await this.#txn(server);
      else if (dice < 0.62 && this.#lastWrite !== undefined) await this.#readOwn(server, this.#lastWrite);
      else await this.read(server, key);
    }
  }

  #chooseServer(): ServerProcess | undefined {
    const { random, servers } = this.#world;
    if (this.#server?.isUp !== true || random.float() < 0.2) this.#server = pick(random, servers());
    return this.#server;
  }

  // Writes.

  async #write(server: ServerProcess, operation: KvOperation, key: string): Promise<void> {
    const { caller } = this.#world;
    const value = operation === 'set' || operation === 'cas' ? this.#world.nextValue() : '';
    const expected = this.#seen.get(key) ?? 0;
    const entry: KvWrite = { Key: key, Value: Buffer.from(value), Flags: 0, Session: '', ModifyIndex: expected };
    const after = (answer: Answer<WriteReply<boolean>>): void => {
      if (answer.kind === 'refused') this.#mustNotBe(value);
      if (answer.kind === 'ok') this.#written(answer.reply, operation, entry, value);
    };
    await caller.call(server, 'KVS.Apply', { operation, entry }, {}, { after, withinMs: CALL_MS });
  }

  #written({ index, value: isDone }: WriteReply<boolean>, operation: KvOperation, { Key, ModifyIndex }: KvWrite, value: string): void {
    const { answers, reference, report, counts } = this.#world;
    const what = `${operation} of ${Key}`;
    counts.acknowledgedWrites++;
    answers.acknowledge(index, what);
    const { row } = reference.history.at(Key, index);
    const before = reference.history.at(Key, index - 1).row;
    if (
      operation.endsWith('cas') &&
      isDone !== ((before?.ModifyIndex ?? 0) === ModifyIndex || (operation === 'delete-cas' && before === null))
    ) {
      report(`cas: ${what} with ${ModifyIndex} answers ${String(isDone)}, and the key was at ${before?.ModifyIndex ?? 0}`);
    }
    if (!isDone) return;
    const shown = row === null ? '' : Buffer.from(row.Value).toString();
    if (shown !== value) report(`acknowledged write: ${what} at ${index} left ${shown} instead of ${value}`);
    this.#seen.set(Key, row?.ModifyIndex ?? 0);
    this.#lastWrite = { key: Key, index };
  }

  async #txn(server: ServerProcess): Promise<void> {
    const { caller, random, answers, reference, report, counts } = this.#world;
    const keys = [...new Set([pick(random, KEYS) ?? KEYS[0], pick(random, KEYS) ?? KEYS[1]])];
    const values = keys.map(() => this.#world.nextValue());
    const operations = keys.map((Key, position) => ({
      KV: { Verb: 'set' as const, Key, Value: Buffer.from(values[position] ?? ''), Flags: 0, Session: '', ModifyIndex: 0 },
    }));
    // Half of them fail by their last operation, and leave nothing.
    const guard = {
      KV: {
        Verb: 'check-not-exists' as const,
        Key: pick(random, KEYS) ?? KEYS[0],
        Value: Buffer.alloc(0),
        Flags: 0,
        Session: '',
        ModifyIndex: 0,
      },
    };
    const request = { operations: random.float() < 0.5 ? operations : [guard, ...operations] };
    const after = (answer: Answer<WriteReply<{ readonly Errors: readonly unknown[] }>>): void => {
      if (answer.kind === 'refused') for (const value of values) this.#mustNotBe(value);
      if (answer.kind !== 'ok') return;
      const { index, value } = answer.reply;
      answers.acknowledge(index, 'a transaction');
      counts.acknowledgedWrites++;
      for (const [position, key] of keys.entries()) {
        const { row } = reference.history.at(key, index);
        const isThere = row !== null && Buffer.from(row.Value).toString() === values[position];
        if (isThere !== (value.Errors.length === 0)) report(`transaction: at ${index} ${key} ${isThere ? 'has' : 'lacks'} its value`);
      }
    };
    await caller.call(server, 'Txn.Apply', request, {}, { after, withinMs: CALL_MS });
  }

  #mustNotBe(value: string): void {
    if (value !== '') this.#world.refusedValues.add(value);
  }

  // Reads.

  /** Once, as fresh as it happens to want it. */
  async read(server: ServerProcess, key: string): Promise<void> {
    const consistency = pick<Consistency>(this.#world.random, ['default', 'default', 'consistent', STALE]) ?? 'default';
    const query = { consistency, ...(consistency === STALE && this.#world.random.float() < 0.3 ? { maxStaleMs: 1000 } : {}) };
    await this.#get(server, key, { query }, 0);
  }

  /** Wherever it asks, it finds its own write. */
  async #readOwn(server: ServerProcess, { key, index }: { readonly key: string; readonly index: number }): Promise<void> {
    const consistency = pick<Consistency>(this.#world.random, [STALE, STALE, 'default']) ?? STALE;
    await this.#get(server, key, { query: { consistency, appliedIndex: index, maxWaitMs: 3000 } }, index);
  }

  async #get(server: ServerProcess, key: string, options: CallOptions, ownIndex: number): Promise<void> {
    const { caller, answers, counts, report, heardLeaderAgoMs } = this.#world;
    const { consistency = 'default', maxStaleMs } = options.query ?? {};
    let floor = 0;
    const before = (): void => {
      const here = consistency === STALE ? server.server.store.appliedIndex : answers.acknowledged;
      floor = Math.max(ownIndex, here);
    };
    const after = (answer: Answer<ReadReply<KvEntry | null>>): void => {
      if (answer.kind !== 'ok') return;
      counts.reads++;
      const { reply } = answer;
      const shown = answers.read(reply, { key, floor, describe: `${consistency} read at ${server.machine.name}` });
      this.#seen.set(key, reply.value?.ModifyIndex ?? 0);
      if (consistency !== STALE) {
        if (shown !== undefined) answers.acknowledged = Math.max(answers.acknowledged, shown.index);
        if (reply.meta.consistency === STALE) report(`label: a ${consistency} read is answered as stale`);
        return;
      }
      if (maxStaleMs === undefined && reply.meta.consistency !== STALE)
        report(`label: a stale read is answered as ${reply.meta.consistency}`);
      if (reply.meta.consistency !== STALE || server.server.consensus.stats().state === 'Leader') return;
      const agoMs = heardLeaderAgoMs(server);
      if (reply.meta.lastContactMs < agoMs - CONTACT_SLACK_MS) {
        report(`label: ${server.machine.name} says that it heard its leader ${reply.meta.lastContactMs} ms ago; it was ${agoMs} ms`);
      }
    };
    await caller.call(server, 'KVS.Get', { key }, options, { before, after, withinMs: CALL_MS });
  }
}

/** Between the answer's making and its coming here. */
const CONTACT_SLACK_MS = 50;
