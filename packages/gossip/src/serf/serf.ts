import { GossipError } from '../errors.ts';
import { type Address, type Message, type NodeView, type StreamMessage, Swim, type SwimEvent } from '../swim/index.ts';
import type { Coordinate, Member } from '../types.ts';
import { decodeSerfMessage, decodeSerfState, encodeSerfState } from '../wire/serf-codec.ts';
import { Coordinates } from './coordinates.ts';
import { Departure, type DepartureStep } from './departure.ts';
import { noEffects, type PendingEffects, type SerfEffects, type SerfEvent, type SerfFigures } from './effects.ts';
import { LamportClock } from './lamport.ts';
import type { Intent, SerfMessage } from './message.ts';
import type { SerfOptions, SerfPorts } from './options.ts';
import { Queries, type SerfQuery } from './queries.ts';
import { SerfQueues } from './queues.ts';
import { memberToReconnect } from './reconnector.ts';
import { Roster } from './roster.ts';
import { UserEvents } from './user-events.ts';

/** Queries of this code's own; applications may not ask them. */
export const INTERNAL_QUERY_PREFIX = '_lictor_';

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
  readonly #events: UserEvents;
  readonly #queries: Queries;
  readonly #coordinates: Coordinates;
  readonly #departure: Departure;
  readonly #queues: SerfQueues;
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
    this.#queues = new SerfQueues(options.maxQueued);
    this.#coordinates = new Coordinates(ports.random);
    const swimPorts = { ...ports, appState: () => this.#state(), ackPayload: () => this.#coordinates.payload() };
    this.#swim = new Swim(options, swimPorts, nowMs, this.#queues.all);
    this.#roster = new Roster((event) => {
      if (event.type === 'reap') this.#forget(event.member.name);
      emit({ type: 'membership', event });
    });
    this.#roster.setSelf(this.#swim.self, 'alive', this.#clock.tick());
    this.#events = new UserEvents(options, (event) => emit({ type: 'user-event', event }));
    this.#queries = new Queries(options, ports, this.#swim, (message) => this.#queues.spread(message), emit);
    this.#departure = new Departure(options.broadcastTimeoutMs, options.leavePropagateMs, {
      isIntentSpread: () => !this.#queues.intents.has(options.name),
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

  figures(): SerfFigures {
    const statuses = ['alive', 'leaving', 'left', 'failed'] as const;
    return {
      health: this.#swim.health,
      members: Object.fromEntries(statuses.map((status) => [status, this.#roster.count(status)])),
      times: { member: this.#clock.time, event: this.#events.clock.time, query: this.#queries.clock.time },
      queues: { members: this.#swim.queued, ...this.#queues.sizes },
      coordinateResets: this.#coordinates.resets,
    };
  }

  get dueMs(): number {
    const own = [this.#reapMs, this.#events.dueMs, this.#queries.dueMs, this.#departure.dueMs];
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
      this.#queries.tick(this.#nowMs);
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
      this.#queues.spread(intent);
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
  query(request: SerfQuery, nowMs: number): number {
    return this.#run(nowMs, () => this.#queries.ask(request, this.#nowMs));
  }

  /** Nobody else's answer is waited for. */
  closeQuery(id: number): void {
    this.#queries.close(id);
  }

  /** @throws GossipError `invalid` (answered before, or too late), `too-large` */
  respond(token: number, payload: Uint8Array, nowMs: number): void {
    this.#run(nowMs, () => this.#queries.respond(token, payload, this.#nowMs));
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
        if (this.#events.take(message, this.#nowMs)) this.#queues.spread(message);
        return;
      case 'query':
        return this.#queries.take(message, this.#nowMs);
      case 'query-response':
        return this.#queries.heard(message);
      case 'relay':
        return this.#queries.relay(message, this.#nowMs);
    }
  }

  #hearIntent(intent: Intent): void {
    this.#clock.witness(intent.time);
    if (intent.node === this.#options.name) return this.#hearOwnIntent(intent);
    if (this.#roster.intent(intent, this.#nowMs)) this.#queues.spread(intent);
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
    this.#queues.spread({ type: 'join-intent', time, node: this.#options.name });
  }

  #state(): Uint8Array {
    return encodeSerfState({
      memberTime: this.#clock.time,
      eventTime: this.#events.clock.time,
      queryTime: this.#queries.clock.time,
      statusTimes: this.#roster.statusTimes(),
      left: [...this.#roster.withStatus('left'), ...this.#roster.withStatus('leaving')].map(({ name }) => name),
      events: this.#events.recent(),
    });
  }

  #merge(payload: Uint8Array, join: boolean): void {
    const { memberTime, eventTime, queryTime, statusTimes, left, events } = decodeSerfState(payload);
    // Their clocks are at the next time to come.
    if (memberTime > 0) this.#clock.witness(memberTime - 1);
    if (queryTime > 0) this.#queries.clock.witness(queryTime - 1);
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
    if (what === 'name') this.#queries.contest(known, this.#nowMs);
  }
}

function unreachable(): never {
  throw new GossipError('stopped', 'a member knows itself');
}
