import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../../support/process.ts';
import { createLoopback } from './loopback.ts';
import { advertisedHost, type ClusterNetwork } from './network.ts';
import { ClusterServer } from './server.ts';

const FAST_TIMING = '-hcl=performance { raft_multiplier = 1 }';
const SETTLE_MS = 30_000;

export interface ClusterOptions {
  /** Servers that bootstrap together; they are started by `start`. */
  readonly servers?: number;
  /** Room for servers that come later. */
  readonly spare?: number;
  /** Agents that are no servers; a test starts them. */
  readonly clients?: number;
  readonly network?: ClusterNetwork;
  readonly args?: readonly string[];
}

/** Servers that are real processes, with a scratch folder. */
export class TestCluster {
  readonly network: ClusterNetwork;
  /** Those that bootstrap. */
  readonly servers: readonly ClusterServer[];
  /** Those that a test starts when it wants them. */
  readonly spares: readonly ClusterServer[];
  readonly clients: readonly ClusterServer[];
  readonly folder = mkdtempSync(join(tmpdir(), 'lictor-cluster-'));

  private constructor(network: ClusterNetwork, options: ClusterOptions) {
    this.network = network;
    const { servers = 3, spare = 0, clients = 0, args = [] } = options;
    const places = Array.from({ length: servers + spare + clients }, (_, number) => network.placeOf(number));
    const joins = places.slice(0, servers).map((place) => `-retry-join=${advertisedHost(place)}:${place.ports['serf-lan']}`);
    const all = places.map((place, number) => {
      const role = number < servers ? ['-server', `-bootstrap-expect=${servers}`] : number < servers + spare ? ['-server'] : [];
      return new ClusterServer(number, place, join(this.folder, `s${number + 1}`), [...role, ...joins, FAST_TIMING, ...args]);
    });
    this.servers = all.slice(0, servers);
    this.spares = all.slice(servers, servers + spare);
    this.clients = all.slice(servers + spare);
  }

  static async create(options: ClusterOptions = {}): Promise<TestCluster> {
    const network = options.network ?? (await createLoopback((options.servers ?? 3) + (options.spare ?? 0) + (options.clients ?? 0)));
    return new TestCluster(network, options);
  }

  /** Starts every server that bootstraps; resolves when all of them name the same leader. */
  async start(): Promise<this> {
    await Promise.all(this.servers.map((server) => server.start()));
    await this.agreed(this.servers);
    return this;
  }

  /** The leader that all of `servers` name and that is one of the cluster's. */
  async agreed(servers: readonly ClusterServer[] = this.servers.filter((server) => server.running)): Promise<ClusterServer> {
    return eventually(
      `${servers.map(({ name }) => name).join(', ')} agree on a leader`,
      async () => {
        const named = await Promise.all(servers.map((server) => this.leaderSeenBy(server)));
        return named.every((name) => name !== undefined && name === named[0]) ? named[0] : undefined;
      },
      SETTLE_MS,
    );
  }

  /** The leader as one server knows it. */
  async leaderSeenBy(server: ClusterServer): Promise<ClusterServer | undefined> {
    const address = await server
      .fetch('/v1/status/leader', { signal: AbortSignal.timeout(1000) })
      .then((response) => response.json() as Promise<unknown>)
      .catch(() => '');
    return [...this.servers, ...this.spares].find(({ rpcAddress }) => rpcAddress === address);
  }

  async followers(): Promise<ClusterServer[]> {
    const leader = await this.agreed();
    return this.servers.filter((server) => server.running && server !== leader);
  }

  /** What the servers printed, for a failure. */
  get output(): string {
    return this.#all.map(({ name, output }) => `--- ${name}\n${output}`).join('\n');
  }

  get #all(): readonly ClusterServer[] {
    return [...this.servers, ...this.spares, ...this.clients];
  }

  async stop(): Promise<void> {
    await Promise.all(this.#all.map((server) => server.kill()));
    this.network.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
