import { GossipError } from '../errors.ts';
import type { NodeView, Swim } from '../swim/index.ts';
import type { QueryRequest } from '../types.ts';
import { decodeSerfMessage, encodeSerfMessage } from '../wire/serf-codec.ts';
import { Answers } from './answers.ts';
import type { SerfEvent } from './effects.ts';
import { EventRing } from './event-ring.ts';
import { LamportClock } from './lamport.ts';
import type { QueryMessage, QueryResponseMessage, RelayMessage } from './message.ts';
import { NameConflicts } from './name-conflicts.ts';
import type { SerfOptions, SerfPorts } from './options.ts';
import { Questions } from './questions.ts';

export interface SerfQuery extends QueryRequest {
  /** Whether those who hear it say so at once. */
  readonly wantsAck?: boolean;
  /** Members through which each answer goes besides: for networks that lose much. */
  readonly relays?: number;
}

/** Queries, one's own and those of others. */
export class Queries {
  readonly clock = new LamportClock();
  readonly #options: SerfOptions;
  readonly #swim: Swim;
  readonly #spread: (message: QueryMessage) => void;
  readonly #emit: (event: SerfEvent) => void;
  /** Ids that were seen. */
  readonly #seen: EventRing<number>;
  readonly #questions: Questions;
  readonly #answers: Answers;
  readonly #conflicts: NameConflicts;

  constructor(
    options: SerfOptions,
    ports: SerfPorts,
    swim: Swim,
    spread: (message: QueryMessage) => void,
    emit: (event: SerfEvent) => void,
  ) {
    this.#options = options;
    this.#swim = swim;
    this.#spread = spread;
    this.#emit = emit;
    this.#seen = new EventRing(options.recentEvents, (one, other) => one === other);
    this.#conflicts = new NameConflicts(options.address, emit);
    this.#questions = new Questions(ports.random, (event) => {
      if (!this.#conflicts.heard(event)) emit(event);
    });
    this.#answers = new Answers(
      options,
      ports,
      swim,
      (event) => this.#asked(event),
      (response) => this.#questions.heard(response),
    );
    this.clock.tick();
  }

  get dueMs(): number {
    return this.#questions.dueMs;
  }

  /** What a query waits without a time of its own. */
  get timeoutMs(): number {
    return this.#options.gossipIntervalMs * this.#options.queryTimeoutMult * Math.ceil(Math.log10(this.#swim.live + 1));
  }

  /** @returns the query's id. @throws GossipError `too-large`, `invalid`, `overloaded` */
  ask(request: SerfQuery, nowMs: number): number {
    if (this.#questions.isFull) throw new GossipError('overloaded', 'too many queries at once');
    const message = this.#messageOf(request);
    validate(message, this.#options.queryBytes);
    this.#questions.open(message, nowMs);
    this.take(message, nowMs);
    return message.id;
  }

  close(id: number): void {
    this.#questions.close(id);
  }

  take(message: QueryMessage, nowMs: number): void {
    this.clock.witness(message.time);
    if (!this.#seen.add(message.time, message.id, this.clock.time)) return;
    this.#spread(message);
    this.#answers.ask(message, nowMs);
  }

  heard(response: QueryResponseMessage): void {
    this.#questions.heard(response);
  }

  relay({ node, response }: RelayMessage, nowMs: number): void {
    const target = this.#swim.member(node);
    if (target !== undefined) this.#swim.sendApp(target.address, encodeSerfMessage(response), nowMs);
  }

  /** @throws GossipError `invalid` (answered before, or too late), `too-large` */
  respond(token: number, payload: Uint8Array, nowMs: number): void {
    this.#answers.respond(token, payload, nowMs);
  }

  tick(nowMs: number): void {
    this.#questions.tick(nowMs);
  }

  /** Another one claims this member's name: the others are asked who has it. */
  contest(known: NodeView, nowMs: number): void {
    if (!this.#options.resolvesNameConflicts || known.name !== this.#options.name || this.#conflicts.isAsking) return;
    const payload = new TextEncoder().encode(known.name);
    this.#conflicts.begin(this.ask({ name: NameConflicts.query, payload }, nowMs));
  }

  #asked(event: SerfEvent): void {
    if (event.type !== 'query' || event.query.name !== NameConflicts.query) return this.#emit(event);
    const name = new TextDecoder().decode(event.query.payload);
    const address = name === this.#options.name ? undefined : this.#swim.member(name)?.address;
    if (address !== undefined) this.#answers.respond(event.query.token, new TextEncoder().encode(address), event.query.deadlineMs - 1);
  }

  #messageOf(request: SerfQuery): QueryMessage {
    return {
      type: 'query',
      time: this.clock.time,
      id: this.#questions.newId(),
      from: this.#options.name,
      fromAddress: this.#swim.self.address,
      name: request.name,
      payload: request.payload,
      nodes: request.nodes ?? [],
      tags: request.tags ?? {},
      wantsAck: request.wantsAck ?? false,
      relays: request.relays ?? 0,
      timeoutMs: Math.round(request.timeoutMs ?? this.timeoutMs),
    };
  }
}

/** What others would refuse is refused here, with a word. */
function validate(message: QueryMessage, maxBytes: number): void {
  const bytes = encodeSerfMessage(message);
  if (bytes.length > maxBytes) throw new GossipError('too-large', `query exceeds limit of ${maxBytes} bytes`);
  try {
    decodeSerfMessage(bytes);
  } catch (error) {
    throw new GossipError('invalid', 'query has too many nodes, tags or relays, lasts too long, or has control characters in a name', {
      cause: error,
    });
  }
}
