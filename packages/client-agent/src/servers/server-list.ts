import { type Clock, type Logger, type Random, randomInteger, shuffle, type Timer } from '@lictor/protocol';

/** A server of this datacenter, as the agent has found it. */
export interface KnownServer {
  readonly name: string;
  /** `ip:port` of its RPC. */
  readonly address: string;
}

/** Who the servers are: gossip knows. */
export interface ServerSource {
  servers(): readonly KnownServer[];
  /** Called after each change; returns the unsubscriber. */
  onChange(listener: () => void): () => void;
  /** All agents, servers included: so many may move at the same time. */
  clusterSize(): number;
}

export interface ServerListPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly source: ServerSource;
}

/** Consul-facts T015: an agent stays with a server for two minutes at least, and all together make 64 new connections a second at most. */
const MIN_STAY_MS = 120_000;
const STAY_SPREAD_MS = 60_000;
const MOVES_PER_SECOND = 64;

/**
 * The servers in the order in which this agent asks them. All agents have other orders, and change them from time to time: the load
 * spreads over the servers, also over those that came later.
 */
export class ServerList {
  readonly #ports: ServerListPorts;
  readonly #listeners = new Set<() => void>();
  #servers: KnownServer[] = [];
  #timer: Timer | undefined;
  #unsubscribe = (): void => undefined;

  constructor(ports: ServerListPorts) {
    this.#ports = ports;
    this.#refresh();
  }

  start(): void {
    this.#unsubscribe = this.#ports.source.onChange(() => this.#refresh());
    this.#refresh();
    this.#schedule();
  }

  stop(): void {
    this.#unsubscribe();
    this.#timer?.cancel();
  }

  /** The one to ask first. */
  get first(): KnownServer | undefined {
    return this.#servers[0];
  }

  get size(): number {
    return this.#servers.length;
  }

  all(): readonly KnownServer[] {
    return this.#servers;
  }

  /** Called when there are servers that were not there. */
  onArrival(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** It did not answer: it is asked last from now on. */
  demote(server: KnownServer): void {
    const [first] = this.#servers;
    if (first?.address !== server.address || this.#servers.length < 2) return;
    this.#servers.push(...this.#servers.splice(0, 1));
  }

  #refresh(): void {
    const current = new Map(this.#ports.source.servers().map((server) => [server.address, server]));
    const kept = this.#servers.flatMap(({ address }) => current.get(address) ?? []);
    const known = new Set(kept.map(({ address }) => address));
    const arrived = [...current.values()].filter(({ address }) => !known.has(address));
    this.#servers = kept;
    // Not at the end: the first of many agents would all stay with the server that came first.
    for (const server of arrived) this.#servers.splice(randomInteger(this.#ports.random, this.#servers.length + 1), 0, server);
    if (arrived.length === 0) return;
    for (const { name, address } of arrived) this.#ports.logger.info('adding server', { server: name, address });
    for (const listener of this.#listeners) listener();
  }

  #schedule(): void {
    const { clock, random, source } = this.#ports;
    const spread = MIN_STAY_MS + random.float() * STAY_SPREAD_MS;
    const perServerMs = (source.clusterSize() / (MOVES_PER_SECOND * Math.max(1, this.size))) * 1000;
    this.#timer = clock.setTimer(Math.max(spread, perServerMs), () => {
      shuffle(this.#servers, random);
      this.#schedule();
    });
  }
}
