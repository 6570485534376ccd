import type { KvEntry, KvWrite, WriteReply } from '@lictor/protocol';
import type { ServerProcess } from '../cluster/process.ts';
import type { Answer } from './caller.ts';
import { CALL_MS, type ClientWorld, pick, think } from './world.ts';

export const LOCKS = ['lock/0', 'lock/1'] as const;
/** Sessions belong to a node of the catalog. */
export const CLIENT_NODE = 'client';

interface OwnSession {
  readonly id: string;
  /** 0: it does not end by itself. */
  readonly ttlMs: number;
  /** When the last renewal that was answered was asked for. */
  renewedMs: number;
  isDestroyed: boolean;
}

/** Of a session: it may end this long before its time by clocks that run apart. */
const DRIFT = 0.25;

/** Makes a session, takes a lock, holds it a while, and lets it go, or dies holding it. */
export class LockClient {
  readonly #world: ClientWorld;
  #session: OwnSession | undefined;

  constructor(world: ClientWorld) {
    this.#world = world;
  }

  async run(): Promise<void> {
    while (!this.#world.isOver) {
      await think(this.#world);
      const server = pick(this.#world.random, this.#world.servers());
      if (server === undefined) continue;
      this.#world.counts.operations++;
      this.#checkSession();
      if (this.#session === undefined) await this.#create(server);
      else await this.#use(server, this.#session);
    }
  }

  async #create(server: ServerProcess): Promise<void> {
    const { caller, random, counts, answers, scheduler } = this.#world;
    const ttlMs = pick(random, [0, 1000, 2000, 4000]) ?? 0;
    const request = {
      ID: '',
      Name: '',
      Node: CLIENT_NODE,
      LockDelay: pick(random, [0, 200, 1000]) ?? 0,
      Behavior: pick(random, ['release', 'delete']) ?? 'release',
      TTL: ttlMs === 0 ? '' : `${ttlMs}ms`,
      NodeChecks: [],
    };
    const askedMs = scheduler.nowMs;
    const after = (answer: Answer<WriteReply<string>>): void => {
      if (answer.kind !== 'ok') return;
      counts.sessions++;
      const { index, value: id } = answer.reply;
      answers.acknowledge(index, 'session create');
      if (this.#world.reference.history.sessions.get(id)?.createdIndex !== index)
        this.#world.report(`session: ${id} was not made at ${index}`);
      this.#session = { id, ttlMs, renewedMs: askedMs, isDestroyed: false };
    };
    await caller.call(server, 'Session.Create', request, {}, { after, withinMs: CALL_MS });
  }

  async #use(server: ServerProcess, session: OwnSession): Promise<void> {
    const dice = this.#world.random.float();
    if (dice < 0.35) await this.#lock(server, session, 'lock');
    else if (dice < 0.55) await this.#lock(server, session, 'unlock');
    else if (dice < 0.85) await this.#renew(server, session);
    else if (dice < 0.93) await this.#destroy(server, session);
    // It is forgotten, and ends by its TTL.
    else if (session.ttlMs > 0) this.#session = undefined;
  }

  async #lock(server: ServerProcess, session: OwnSession, operation: 'lock' | 'unlock'): Promise<void> {
    const { caller, random, counts } = this.#world;
    const value = this.#world.nextValue();
    const entry: KvWrite = {
      Key: pick(random, LOCKS) ?? LOCKS[0],
      Value: Buffer.from(value),
      Flags: 0,
      Session: session.id,
      ModifyIndex: 0,
    };
    const after = (answer: Answer<WriteReply<boolean>>): void => {
      if (answer.kind === 'refused' && answer.code !== 'rejected') this.#world.refusedValues.add(value);
      if (answer.kind !== 'ok') return;
      counts.locks++;
      this.#locked(answer.reply, operation, entry);
    };
    await caller.call(server, 'KVS.Apply', { operation, entry }, {}, { after, withinMs: CALL_MS });
  }

  #locked({ index, value: isDone }: WriteReply<boolean>, operation: 'lock' | 'unlock', { Key, Session }: KvWrite): void {
    const { answers, reference, report, counts } = this.#world;
    answers.acknowledge(index, `${operation} of ${Key}`);
    counts.acknowledgedWrites++;
    if (!isDone) return;
    const row: KvEntry | null = reference.history.at(Key, index).row;
    const holder = row?.Session ?? '';
    if (holder !== (operation === 'lock' ? Session : '')) report(`lock: ${operation} of ${Key} by ${Session} at ${index} leaves ${holder}`);
  }

  async #renew(server: ServerProcess, session: OwnSession): Promise<void> {
    const askedMs = this.#world.scheduler.nowMs;
    const after = (answer: Answer<WriteReply<object | null>>): void => {
      if (answer.kind === 'ok' && answer.reply.value !== null) session.renewedMs = askedMs;
    };
    await this.#world.caller.call(server, 'Session.Renew', { id: session.id }, {}, { after, withinMs: CALL_MS });
  }

  async #destroy(server: ServerProcess, session: OwnSession): Promise<void> {
    const { caller, answers, reference, report } = this.#world;
    session.isDestroyed = true;
    this.#session = undefined;
    const after = (answer: Answer<WriteReply<void>>): void => {
      if (answer.kind !== 'ok') return;
      answers.acknowledge(answer.reply.index, 'session destroy');
      const ended = reference.history.sessions.get(session.id)?.endedIndex;
      if (ended === undefined || ended > answer.reply.index)
        report(`session: ${session.id} lives on after its destruction at ${answer.reply.index}`);
    };
    await caller.call(server, 'Session.Destroy', { id: session.id }, {}, { after, withinMs: CALL_MS });
  }

  /** A session that has ended by itself has had its whole time. */
  #checkSession(): void {
    const session = this.#session;
    if (session === undefined) return;
    const { history } = this.#world.reference;
    const life = history.sessions.get(session.id);
    if (life?.endedIndex === undefined || life.endedMs === undefined) return;
    this.#session = undefined;
    if (session.isDestroyed || history.restores.some((index) => index > life.createdIndex)) return;
    const hadMs = life.endedMs - session.renewedMs;
    if (session.ttlMs === 0) this.#world.report(`session: ${session.id} has no TTL, and ended`);
    else if (hadMs < session.ttlMs * (1 - DRIFT))
      this.#world.report(`session: ${session.id} with TTL ${session.ttlMs} ms ended after ${hadMs} ms`);
  }
}
