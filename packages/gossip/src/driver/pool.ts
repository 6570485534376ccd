import { GossipError } from '../errors.ts';
import { Keyring } from '../keyring/index.ts';
import { distance, INTERNAL_QUERY_PREFIX, type SerfEvent } from '../serf/index.ts';
import type { Coordinate, JoinResult, Member, MembershipEvent, QueryRequest, QueryResponse, UserEvent } from '../types.ts';
import { formatAddress, parseAddress } from './address.ts';
import { Engine } from './engine.ts';
import { KeyManager } from './key-manager.ts';
import { Listeners } from './listeners.ts';
import { type PoolOptions, type PoolPorts, validateName, validateTags } from './options.ts';
import { PendingQueries } from './pending-queries.ts';

/** A question that this member may answer, once, before its deadline. */
export interface ReceivedQuery {
  readonly name: string;
  readonly payload: Uint8Array;
  readonly from: string;
  /** @throws GossipError `invalid` (answered, or too late), `too-large` */
  respond(payload: Uint8Array): void;
}

const DEFAULT_PORT = 8301;
const MAX_JOIN_ADDRESSES = 64;

/** A member of a pool: gossip over a network, by one `Serf` core. */
export class GossipPool {
  /** The pool's keys; changes reach all members. */
  readonly keyring: KeyManager;
  readonly #options: PoolOptions;
  readonly #ports: PoolPorts;
  readonly #engine: Engine;
  readonly #queries: PendingQueries;
  readonly #membership: Listeners<MembershipEvent>;
  readonly #userEvents: Listeners<UserEvent>;
  readonly #received: Listeners<ReceivedQuery>;
  readonly #left = Promise.withResolvers<void>();

  /** @throws GossipError `invalid`: name, id, tags, keys, networks */
  constructor(options: PoolOptions, ports: PoolPorts) {
    validateName(options.name, options.id);
    validateTags(options.tags ?? {});
    this.#options = options;
    this.#ports = ports;
    const onError = (error: unknown): void => ports.logger.error('a listener of gossip events failed', { error });
    this.#membership = new Listeners(onError);
    this.#userEvents = new Listeners(onError);
    this.#received = new Listeners(onError);
    const ring = new Keyring(options.keys);
    this.#engine = new Engine(options, ports, ring, (event) => this.#hear(event));
    this.#queries = new PendingQueries(this.#engine);
    this.keyring = new KeyManager(ring, this.#queries, {
      name: () => options.name,
      alive: () => this.#alive(),
      onChanged: options.onKeysChanged,
      sealsOutgoing: options.verifyOutgoing ?? true,
    });
  }

  /** Listens, as a pool of one. @throws GossipError `unreachable` (cannot bind), `invalid` (advertised address) */
  start(): Promise<void> {
    return this.#engine.start();
  }

  get self(): Member {
    return this.#engine.serf.self;
  }

  /** Everyone known, this member included: also those who failed or left, until they are reaped. */
  members(): Member[] {
    return this.#engine.serf.members();
  }

  member(name: string): Member | undefined {
    return this.#engine.serf.member(name);
  }

  /** Joins, leaves, failures, updates of others, updates of this member, conflicts. @returns stops listening */
  onEvent(listener: (event: MembershipEvent) => void): () => void {
    return this.#membership.add(listener);
  }

  /** @returns stops listening */
  onUserEvent(listener: (event: UserEvent) => void): () => void {
    return this.#userEvents.add(listener);
  }

  /** @returns stops listening */
  onQuery(listener: (query: ReceivedQuery) => void): () => void {
    return this.#received.add(listener);
  }

  /**
   * Tries all addresses (`ip`, `host`, with or without port) at once; one that answers is enough to be in the pool. This member's own
   * address may be among them, so that one list serves all: it counts neither as joined nor as a failure.
   * @throws GossipError `invalid` (none, or too many), `stopped`
   */
  async join(addresses: readonly string[]): Promise<JoinResult> {
    if (addresses.length === 0 || addresses.length > MAX_JOIN_ADDRESSES)
      throw new GossipError('invalid', `1 to ${MAX_JOIN_ADDRESSES} addresses to join`);
    const failures: { address: string; error: Error }[] = [];
    const counts = await Promise.all(
      addresses.map((address) =>
        this.#joinOne(address).catch((error: unknown) => {
          failures.push({ address, error: GossipError.from(error) });
          return 0;
        }),
      ),
    );
    const joined = counts.reduce((sum, count) => sum + count, 0);
    if (joined > 0 && this.#engine.isRunning) this.#engine.run((serf, nowMs) => serf.announceJoin(nowMs));
    return { joined, failures };
  }

  /** Tells the others, and resolves when it got round, or after some seconds. `stop` is still to be called. */
  leave(): Promise<void> {
    this.#engine.run((serf, nowMs) => serf.leave(nowMs));
    return this.#left.promise;
  }

  /** Ends without a word: to the others it has failed, unless it left before. Idempotent. */
  async stop(): Promise<void> {
    this.#queries.stop();
    this.#left.resolve();
    await this.#engine.stop();
  }

  /** @throws GossipError `invalid` */
  setTags(tags: Readonly<Record<string, string>>): void {
    validateTags(tags);
    this.#engine.run((serf, nowMs) => serf.setTags({ ...tags }, nowMs));
  }

  /** One that failed counts as left from now on; with `prune` it is forgotten at once. @throws GossipError `invalid` (no name) */
  forceLeave(name: string, { prune = false }: { readonly prune?: boolean } = {}): void {
    validateName(name, '');
    this.#engine.run((serf, nowMs) => serf.forceLeave(name, prune, nowMs));
  }

  /** @throws GossipError `too-large`, `invalid` */
  sendUserEvent(name: string, payload: Uint8Array, { coalesce = false }: { readonly coalesce?: boolean } = {}): void {
    this.#engine.run((serf, nowMs) => serf.userEvent(name, payload, coalesce, nowMs));
  }

  /**
   * Asks all members (or those that are named, or whose tags match), and resolves when the time is over with those answers that came.
   * @throws GossipError `too-large`, `overloaded`, `invalid`
   */
  query(request: QueryRequest, onResponse?: (response: QueryResponse) => void): Promise<readonly QueryResponse[]> {
    if (request.name.startsWith(INTERNAL_QUERY_PREFIX))
      throw new GossipError('invalid', `Queries cannot contain the '${INTERNAL_QUERY_PREFIX}' prefix`);
    return this.#queries.ask(request, onResponse === undefined ? {} : { onResponse });
  }

  /** This member's place in the network. */
  coordinate(): Coordinate {
    return this.#engine.serf.coordinate;
  }

  /** Undefined: not heard of yet. */
  coordinateOf(name: string): Coordinate | undefined {
    return this.#engine.serf.coordinateOf(name);
  }

  /** Estimated round-trip time between two members, seconds; undefined while one's place is not known here. */
  distance(one: string, other: string): number | undefined {
    const [from, to] = [this.coordinateOf(one), this.coordinateOf(other)];
    return from === undefined || to === undefined ? undefined : distance(from, to);
  }

  /** Serf's figures as `info` shows them. */
  stats(): Readonly<Record<string, number>> {
    const { health, members, times, queues, coordinateResets } = this.#engine.serf.figures();
    return {
      members: this.members().length,
      failed: members['failed'] ?? 0,
      left: members['left'] ?? 0,
      health_score: health,
      member_time: times.member,
      event_time: times.event,
      query_time: times.query,
      intent_queue: queues.intents,
      event_queue: queues.events,
      query_queue: queues.queries,
      member_queue: queues.members,
      coordinate_resets: coordinateResets,
      encrypted: this.keyring.isEncrypted ? 1 : 0,
    };
  }

  async #joinOne(text: string): Promise<number> {
    const { host, port } = parseAddress(text, this.#options.defaultPort ?? DEFAULT_PORT);
    const hosts = await this.#ports.transport.resolve(host);
    const others = hosts.map((ip) => formatAddress(ip, port)).filter((address) => !this.#engine.isSelf(address));
    if (others.length === 0 && hosts.length > 0) return 0;
    const results = await Promise.allSettled(others.map((address) => this.#engine.join(address)));
    const joined = results.filter(({ status }) => status === 'fulfilled').length;
    const failed = results.find((result) => result.status === 'rejected');
    if (joined === 0) throw failed?.reason ?? new GossipError('unreachable', `${host} has no address`);
    return joined;
  }

  #alive(): string[] {
    return this.members().flatMap(({ name, status }) => (status === 'alive' || status === 'leaving' ? [name] : []));
  }

  #hear(event: SerfEvent): void {
    switch (event.type) {
      case 'membership':
        return this.#membership.emit(event.event);
      case 'user-event':
        return this.#userEvents.emit(event.event);
      case 'query': {
        const { token, name, payload, from } = event.query;
        const respond = (answer: Uint8Array): void => this.#engine.run((serf, nowMs) => serf.respond(token, answer, nowMs));
        if (this.keyring.handles(name)) return respond(this.keyring.answer(name, payload));
        return this.#received.emit({ name, payload, from, respond });
      }
      case 'response':
      case 'ack':
      case 'query-done':
        return this.#queries.hear(event);
      case 'departed':
        return this.#left.resolve();
      case 'name-lost':
        return undefined;
    }
  }
}
