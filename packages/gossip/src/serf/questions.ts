import { type Random, randomInteger } from '@lictor/protocol';
import type { QueryResponse } from '../types.ts';
import type { SerfEvent } from './effects.ts';
import type { QueryMessage, QueryResponseMessage } from './message.ts';

interface Question {
  readonly message: QueryMessage;
  readonly endsAtMs: number;
  readonly acks: Set<string>;
  readonly answered: Set<string>;
}

const MAX_QUESTIONS = 256;
/** To one of them. */
const MAX_ANSWERS = 65_536;

/** Queries that this member has asked, and who has answered. */
export class Questions {
  readonly #random: Random;
  readonly #emit: (event: SerfEvent) => void;
  readonly #byId = new Map<number, Question>();

  constructor(random: Random, emit: (event: SerfEvent) => void) {
    this.#random = random;
    this.#emit = emit;
  }

  get isFull(): boolean {
    return this.#byId.size >= MAX_QUESTIONS;
  }

  get dueMs(): number {
    let dueMs = Infinity;
    for (const { endsAtMs } of this.#byId.values()) dueMs = Math.min(dueMs, endsAtMs);
    return dueMs;
  }

  newId(): number {
    let id: number;
    do id = randomInteger(this.#random, 2 ** 32);
    while (this.#byId.has(id));
    return id;
  }

  open(message: QueryMessage, nowMs: number): void {
    this.#byId.set(message.id, { message, endsAtMs: nowMs + message.timeoutMs, acks: new Set(), answered: new Set() });
  }

  /** Each member once: an answer comes also through relays. */
  heard({ time, id, from, isAck, payload }: QueryResponseMessage): void {
    const question = this.#byId.get(id);
    if (question === undefined || question.message.time !== time) return;
    const seen = isAck ? question.acks : question.answered;
    if (seen.has(from) || seen.size >= MAX_ANSWERS) return;
    seen.add(from);
    const response: QueryResponse = { from, payload };
    this.#emit(isAck ? { type: 'ack', id, from } : { type: 'response', id, response });
  }

  /** Those whose time is over. */
  tick(nowMs: number): void {
    for (const [id, { endsAtMs }] of this.#byId) if (nowMs >= endsAtMs) this.close(id);
  }

  close(id: number): void {
    if (this.#byId.delete(id)) this.#emit({ type: 'query-done', id });
  }
}
