import { GossipError } from '../errors.ts';
import {
  type Address,
  BroadcastQueue,
  type Message,
  type NodeView,
  type StreamMessage,
  Swim,
  type SwimEffects,
  type SwimEvent,
} from '../swim/index.ts';
import type { Coordinate, Member, QueryRequest } from '../types.ts';
import { sizeOfPart } from '../wire/packet.ts';
import { decodeSerfMessage, decodeSerfState, encodeSerfMessage, encodeSerfState } from '../wire/serf-codec.ts';
import { Answers } from './answers.ts';
import { Coordinates } from './coordinates.ts';
import { Departure, type DepartureStep } from './departure.ts';
import type { SerfEffects, SerfEvent } from './effects.ts';
import { EventRing } from './event-ring.ts';
import { LamportClock } from './lamport.ts';
import type { Intent, QueryMessage, SerfMessage } from './message.ts';
import { NameConflicts } from './name-conflicts.ts';
import type { SerfOptions, SerfPorts } from './options.ts';
import { Questions } from './questions.ts';
import { memberToReconnect } from './reconnector.ts';
import { Roster } from './roster.ts';
import { UserEvents } from './user-events.ts';

/** Queries of this code's own; applications may not ask them. */
export const INTERNAL_QUERY_PREFIX = '_lictor_';

interface PendingEffects {
  datagrams: SwimEffects['datagrams'][number][];
  streams: SwimEffects['streams'][number][];
  replies: SwimEffects['replies'][number][];
  notices: SwimEffects['notices'][number][];
  events: SwimEvent[];
  serf: SerfEvent[];
}

/**
 * What serf adds to SWIM, as a core without I/O: who meant to leave, events and queries for all, coordinates, and the memory of members that are
 * gone. Driven as `Swim` is, which it holds.
 */
export class Serf {
  readonly #options: SerfOptions;
  readonly #ports: SerfPorts;
  readonly #swim: Swim;
  readonly #roster: Roster;
  readonly #clock = new LamportClock();
  readonly #queryClock = new LamportClock();
  readonly #seenQueries: EventRing<number>;
  readonly #events: UserEvents;
  readonly #questions: Questions;
  readonly #answers: Answers;
  readonly #coordinates: Coordinates;
  readonly #departure: Departure;
  readonly #conflicts: NameConflicts;
  readonly #intentQueue: BroadcastQueue;
  readonly #queryQueue: BroadcastQueue;
  readonly #eventQueue: BroadcastQueue;
  #effects: PendingEffects = noEffects();
  #nowMs: number;
  #reapMs: number;
  #reconnectMs: number;

  constructor(options: SerfOptions, ports: SerfPorts, nowMs: number) {
    this.#options = options;
    this.#ports = ports;
    this.#nowMs = nowMs;
    this.#reapMs = nowMs + options.reapIntervalMs;
    this.#reconnectMs = nowMs + options.reconnectIntervalMs;
    const emit = (event: SerfEvent): void => void this.#effects.serf.push(event);
    this.#intentQueue = new BroadcastQueue(options.maxQueued);
    this.#queryQueue = new BroadcastQueue(options.maxQueued);
    this.#eventQueue = new BroadcastQueue(options.maxQueued);
    this.#coordinates = new Coordinates(ports.random);
    const swimPorts = { ...ports, appState: () => this.#state(), ackPayload: () => this.#coordinates.payload() };
    this.#swim = new Swim(options, swimPorts, nowMs, [this.#intentQueue, this.#queryQueue, this.#eventQueue]);
    this.#roster = new Roster((event) => {
      if (event.type === 'reap') this.#forget(event.member.name);
      emit({ type: 'membership', event });
    });
    this.#roster.setSelf(this.#swim.self, 'alive', this.#clock.tick());
    this.#queryClock.tick();
    this.#seenQueries = new EventRing(options.recentEvents, (one, other) => one === other);
    this.#events = new UserEvents(options, (event) => emit({ type: 'user-event', event }));
    this.#questions = new Questions(ports.random, (event) => this.#questionEvent(event));
    this.#answers = new Answers(
      options,
      ports,
      this.#swim,
      (event) => this.#answerEvent(event),
      (response) => this.#questions.heard(response),
    );
    this.#conflicts = new NameConflicts(options.address, emit);
    this.#departure = new Departure(options.broadcastTimeoutMs, options.leavePropagateMs, {
      isIntentSpread: () => !this.#intentQueue.has(options.name),
      isLeaveSpread: () => this.#swim.isLeaveSpread,
      sayLeft: (atMs) => {
        this.#swim.leave(atMs);
        this.#roster.setSelf(this.#swim.self, 'left', this.#clock.time);
      },
      hasCompany: () => this.#roster.members().some(({ name, status }) => name !== options.name && status === 'alive'),
    });
  }

  get self(): Member {
    return this.#roster.member(this.#options.name) ?? unreachable();
  }

  get departure(): DepartureStep {
    return this.#departure.step;
  }

  get coordinate(): Coordinate {
    return this.#coordinates.own;
  }

  coordinateOf(name: string): Coordinate | undefined {
    return name === this.#options.name ? this.#coordinates.own : this.#coordinates.of(name);
  }

  members(): Member[] {
    return this.#roster.members();
  }

  member(name: string): Member | undefined {
    return this.#roster.member(name);
  }

  /** What SWIM knows, suspicions and incarnations included. */
  get nodes(): NodeView[] {
    return this.#swim.members();
  }

  stats(): Readonly<Record<string, number>> {
    return {
      members: this.#roster.members().length,
      failed: this.#roster.count('failed'),
      left: this.#roster.count('left'),
      health_score: this.#swim.health,
      member_time: this.#clock.time,
      event_time: this.#events.clock.time,
      query_time: this.#queryClock.time,
      intent_queue: this.#intentQueue.size,
      event_queue: this.#eventQueue.size,
      query_queue: this.#queryQueue.size,
      member_queue: this.#swim.queued,
      coordinate_resets: this.#coordinates.resets,
    };
  }

  get dueMs(): number {
    const own = [this.#reapMs, this.#events.dueMs, this.#questions.dueMs, this.#departure.dueMs];
    if (this.#roster.count('failed') > 0) own.push(this.#reconnectMs);
    return Math.min(this.#swim.dueMs, ...own);
  }

  takeEffects(): SerfEffects {
    const effects = this.#effects;
    this.#effects = noEffects();
    return effects;
  }

  tick(nowMs: number): void {
    this.#run(nowMs, () => {
      this.#swim.tick(this.#nowMs);
      this.#events.tick(this.#nowMs);
      this.#questions.tick(this.#nowMs);
      if (this.#nowMs >= this.#reapMs) this.#reap();
      if (this.#nowMs >= this.#reconnectMs) this.#reconnect();
    });
  }

  receive(from: Address, messages: readonly Message[], nowMs: number): void {
    this.#run(nowMs, () => this.#swim.receive(from, messages, this.#nowMs));
  }

  receiveStream(exchange: number, request: StreamMessage, nowMs: number): void {
    this.#run(nowMs, () => this.#swim.receiveStream(exchange, request, this.#nowMs));
  }

  streamAnswered(id: number, answer: StreamMessage, nowMs: number): string | undefined {
    return this.#run(nowMs, () => this.#swim.streamAnswered(id, answer, this.#nowMs));
  }

  streamFailed(id: number, nowMs: number): void {
    this.#run(nowMs, () => this.#swim.streamFailed(id, this.#nowMs));
  }

  join(address: Address, nowMs: number): number {
    return this.#run(nowMs, () => this.#swim.join(address, this.#nowMs));
  }

  /** After `streamAnswered` said that a join went well: whoever remembers an older leave of this member forgets it. */
  announceJoin(nowMs: number): void {
    this.#run(nowMs, () => this.#sayJoined());
  }

  leave(nowMs: number): void {
    this.#run(nowMs, () => {
      if (this.#departure.step !== 'present') return;
      const intent: Intent = { type: 'leave-intent', time: this.#clock.tick(), node: this.#options.name, prune: false };
      this.#roster.setSelf(this.#swim.self, 'leaving', intent.time);
      this.#spreadIntent(intent);
      this.#departure.begin(this.#nowMs);
    });
  }

  /** One that failed counts as left; with `prune` it is forgotten. One that is there says so, and stays. */
  forceLeave(name: string, prune: boolean, nowMs: number): void {
    this.#run(nowMs, () => this.#hearIntent({ type: 'leave-intent', time: this.#clock.tick(), node: name, prune }));
  }

  setTags(tags: Readonly<Record<string, string>>, nowMs: number): void {
    this.#run(nowMs, () => {
      this.#swim.setTags(tags, this.#nowMs);
      this.#roster.setSelf(this.#swim.self, this.self.status, this.#clock.time);
      this.#effects.serf.push({ type: 'membership', event: { type: 'update', member: this.self } });
    });
  }

  /** @throws GossipError `too-large` */
  userEvent(name: string, payload: Uint8Array, coalesce: boolean, nowMs: number): void {
    this.#run(nowMs, () => this.#hearMessage({ type: 'user-event', ...this.#events.make(name, payload, coalesce) }));
  }

  /**
   * @returns the query's id: `response`, `ack` and at last `query-done` events carry it
   * @throws GossipError `too-large`, `overloaded`
   */
  query(request: QueryRequest & { readonly wantsAck?: boolean; readonly relays?: number }, nowMs: number): number {
    return this.#run(nowMs, () => {
      if (this.#questions.isFull) throw new GossipError('overloaded', 'too many queries at once');
      const message = this.#queryOf(request);
      const { length } = encodeSerfMessage(message);
      if (length > this.#options.queryBytes) throw new GossipError('too-large', `query exceeds limit of ${this.#options.queryBytes} bytes`);
      this.#questions.open(message, this.#nowMs);
      this.#hearMessage(message);
      return message.id;
    });
  }

  closeQuery(id: number): void {
    this.#questions.close(id);
  }

  /** @throws GossipError `invalid` (answered before, or too late), `too-large` */
  respond(token: number, payload: Uint8Array, nowMs: number): void {
    this.#run(nowMs, () => this.#answers.respond(token, payload, this.#nowMs));
  }

  /** What a query waits without a time of its own. */
  get queryTimeoutMs(): number {
    return this.#options.gossipIntervalMs * this.#options.queryTimeoutMult * Math.ceil(Math.log10(this.#swim.live + 1));
  }

  /** Whatever SWIM has to say of what was done is heard at once. */
  #run<T>(nowMs: number, act: () => T): T {
    this.#nowMs = Math.max(this.#nowMs, nowMs);
    const result = act();
    this.#pump();
    if (this.#departure.advance(this.#nowMs)) this.#effects.serf.push({ type: 'departed' });
    this.#pump();
    return result;
  }

  #pump(): void {
    for (;;) {
      const { datagrams, streams, replies, notices, events } = this.#swim.takeEffects();
      this.#effects.datagrams.push(...datagrams);
      this.#effects.streams.push(...streams);
      this.#effects.replies.push(...replies);
      this.#effects.notices.push(...notices);
      if (events.length === 0) return;
      for (const event of events) this.#hear(event);
    }
  }

  #hear(event: SwimEvent): void {
    switch (event.type) {
      case 'join':
        this.#effects.events.push(event);
        return this.#roster.joined(event.node);
      case 'update':
        this.#effects.events.push(event);
        return this.#roster.updated(event.node);
      case 'leave':
      case 'failed':
        this.#effects.events.push(event);
        return this.#roster.gone(event.node, event.type === 'leave', this.#nowMs);
      case 'conflict':
        this.#effects.events.push(event);
        return this.#conflict(event);
      case 'rtt':
        return this.#coordinates.measured(event.node.name, event.rttMs, event.payload);
      case 'app':
        return this.#decoded(() => {
          const message = decodeSerfMessage(event.payload);
          if (message !== undefined) this.#hearMessage(message);
        });
      case 'app-state':
        return this.#decoded(() => this.#merge(event.payload, event.join));
    }
  }

  /** What a peer's upper layer sent may be no message at all: it is dropped, and the rest goes on. */
  #decoded(read: () => void): void {
    try {
      read();
    } catch (error) {
      if (!(error instanceof GossipError) || error.code !== 'malformed') throw error;
      this.#effects.notices.push({ type: 'malformed-app' });
    }
  }

  #hearMessage(message: SerfMessage): void {
    switch (message.type) {
      case 'join-intent':
      case 'leave-intent':
        return this.#hearIntent(message);
      case 'user-event':
        if (this.#events.take(message, this.#nowMs)) this.#spread(this.#eventQueue, message);
        return;
      case 'query':
        this.#queryClock.witness(message.time);
        if (!this.#seenQueries.add(message.time, message.id, this.#queryClock.time)) return;
        this.#spread(this.#queryQueue, message);
        return this.#answers.ask(message, this.#nowMs);
      case 'query-response':
        return this.#questions.heard(message);
      case 'relay': {
        const target = this.#swim.member(message.node);
        if (target !== undefined) this.#swim.sendApp(target.address, encodeSerfMessage(message.response), this.#nowMs);
      }
    }
  }

  #hearIntent(intent: Intent): void {
    this.#clock.witness(intent.time);
    if (intent.node === this.#options.name) return this.#hearOwnIntent(intent);
    if (this.#roster.intent(intent, this.#nowMs)) this.#spreadIntent(intent);
  }

  /** Somebody remembers an older life of this member, or an operator is mistaken: it is here. */
  #hearOwnIntent({ type, time }: Intent): void {
    const ownTime = this.#roster.statusTimeOf(this.#options.name);
    if (type === 'leave-intent' ? time >= ownTime : time > ownTime) this.#sayJoined();
  }

  #sayJoined(): void {
    if (this.#departure.step !== 'present') return;
    const time = this.#clock.tick();
    this.#roster.setSelf(this.#swim.self, 'alive', time);
    this.#spreadIntent({ type: 'join-intent', time, node: this.#options.name });
  }

  #spreadIntent(intent: Intent): void {
    this.#spread(this.#intentQueue, intent, intent.node);
  }

  #spread(queue: BroadcastQueue, message: SerfMessage, key?: string): void {
    const app: Message = { type: 'app', payload: encodeSerfMessage(message) };
    queue.push(app, sizeOfPart(app), key);
  }

  #queryOf(request: QueryRequest & { readonly wantsAck?: boolean; readonly relays?: number }): QueryMessage {
    const { time } = this.#queryClock;
    return {
      type: 'query',
      time,
      id: this.#questions.newId(),
      from: this.#options.name,
      fromAddress: this.#swim.self.address,
      name: request.name,
      payload: request.payload,
      nodes: request.nodes ?? [],
      tags: request.tags ?? {},
      wantsAck: request.wantsAck ?? false,
      relays: request.relays ?? 0,
      timeoutMs: Math.round(request.timeoutMs ?? this.queryTimeoutMs),
    };
  }

  #state(): Uint8Array {
    return encodeSerfState({
      memberTime: this.#clock.time,
      eventTime: this.#events.clock.time,
      queryTime: this.#queryClock.time,
      statusTimes: this.#roster.statusTimes(),
      left: this.#roster.withStatus('left').map(({ name }) => name),
      events: this.#events.recent(),
    });
  }

  #merge(payload: Uint8Array, join: boolean): void {
    const { memberTime, eventTime, queryTime, statusTimes, left, events } = decodeSerfState(payload);
    // Their clocks are at the next time to come.
    if (memberTime > 0) this.#clock.witness(memberTime - 1);
    if (queryTime > 0) this.#queryClock.witness(queryTime - 1);
    const goners = new Set(left);
    for (const [node, time] of statusTimes)
      this.#hearIntent(goners.has(node) ? { type: 'leave-intent', time, node, prune: false } : { type: 'join-intent', time, node });
    if (join && this.#options.ignoresOldEvents) this.#events.ignoreBefore(eventTime);
    if (eventTime > 0) this.#events.clock.witness(eventTime - 1);
    for (const event of events) this.#events.take(event, this.#nowMs);
  }

  #reap(): void {
    this.#reapMs = this.#nowMs + this.#options.reapIntervalMs;
    this.#roster.reap(this.#nowMs, this.#options);
  }

  #reconnect(): void {
    this.#reconnectMs = this.#nowMs + this.#options.reconnectIntervalMs;
    if (this.#departure.step !== 'present') return;
    const address = memberToReconnect(this.#roster, this.#ports.random);
    if (address !== undefined) this.#swim.join(address, this.#nowMs);
  }

  #forget(name: string): void {
    this.#swim.forget(name);
    this.#coordinates.forget(name);
  }

  #conflict(event: Extract<SwimEvent, { type: 'conflict' }>): void {
    const { known, claim, what } = event;
    const member = this.#roster.member(known.name);
    if (member === undefined) return;
    this.#effects.serf.push({ type: 'membership', event: { type: 'conflict', known: member, claimedBy: claim.address, what } });
    if (!this.#options.resolvesNameConflicts || what !== 'name' || known.name !== this.#options.name || this.#conflicts.isAsking) return;
    const name = NameConflicts.query;
    this.#conflicts.begin(this.query({ name, payload: new TextEncoder().encode(known.name) }, this.#nowMs));
  }

  #questionEvent(event: SerfEvent): void {
    if (!this.#conflicts.heard(event)) this.#effects.serf.push(event);
  }

  #answerEvent(event: SerfEvent): void {
    if (event.type !== 'query' || event.query.name !== NameConflicts.query) return void this.#effects.serf.push(event);
    const name = new TextDecoder().decode(event.query.payload);
    const address = name === this.#options.name ? undefined : this.#swim.member(name)?.address;
    if (address !== undefined) this.#answers.respond(event.query.token, new TextEncoder().encode(address), this.#nowMs);
  }
}

function noEffects(): PendingEffects {
  return { datagrams: [], streams: [], replies: [], notices: [], events: [], serf: [] };
}

function unreachable(): never {
  throw new GossipError('stopped', 'a member knows itself');
}
