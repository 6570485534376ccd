import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EmbeddedAgent, startEmbeddedAgent } from '@lictor/cli';
import { createClient, type LictorClient } from '@lictor/sdk';
import { freePorts } from '@lictor/protocol/testing';
import type { AgentProcess } from '../processes/agent-process.ts';
import { agentPorts, leaderOf, plainAgentHcl, planProcesses } from '../processes/server-processes.ts';
import { until } from '../processes/until.ts';
import { Arrivals, type Spread } from './arrivals.ts';
import { type Heard, Sidecar } from './sidecars.ts';

export interface ScaleOptions {
  /** Processes of their own. */
  readonly servers: number;
  /** In this process. */
  readonly clients: number;
  /** On each client, every one with a sidecar. */
  readonly services: number;
  /** How long the mesh is left alone, to see what that costs. */
  readonly idleMs: number;
  readonly onStep?: (step: Step) => void;
}

/** Of all servers. */
export interface ServerLoad {
  readonly rssMib: readonly number[];
  /** Since the step before, of one core: 1 is 100 %. */
  readonly cpu: readonly number[];
}

export interface Step {
  readonly name: string;
  readonly tookMs: number;
  /** Of changes. */
  readonly spread?: Spread;
  readonly load: ServerLoad;
  /** Of the process with all clients and sidecars in it, of one core. */
  readonly ownCpu: number;
}

const WAIT_MS = 120_000;
/** What all sidecars call. */
const SHARED = 'shared';
const INTRUDER = 'intruder';
/** Of one agent, at a time. */
const AT_ONCE = 4;

/** A mesh of the size that the options say, measured while it is made, changed, and left alone. */
export async function runScale(options: ScaleOptions): Promise<readonly Step[]> {
  const run = new ScaleRun(options, await mkdtemp(join(tmpdir(), 'lictor-scale-')));
  try {
    return await run.run();
  } finally {
    await run.stop();
  }
}

interface Client {
  readonly name: string;
  readonly agent: EmbeddedAgent;
  readonly client: LictorClient;
}

class ScaleRun {
  readonly #options: ScaleOptions;
  readonly #folder: string;
  readonly #steps: Step[] = [];
  readonly #sidecars: Sidecar[] = [];
  #servers: readonly AgentProcess[] = [];
  #clients: readonly Client[] = [];
  #onHeard: (heard: Heard) => void = () => undefined;

  constructor(options: ScaleOptions, folder: string) {
    this.#options = options;
    this.#folder = folder;
  }

  async run(): Promise<readonly Step[]> {
    const { clients, idleMs } = this.#options;
    const { servers, joins } = await planProcesses({ folder: this.#folder, servers: this.#options.servers, clients: 0 });
    this.#servers = servers;
    await this.#step('servers have a leader', async () => {
      for (const server of servers) server.start();
      await leaderOf(servers);
    });
    await this.#step(`${clients} client agents start and are in the catalog`, () => this.#startClients(joins));
    await this.#step(`${this.#count} services with sidecars are in the catalog`, () => this.#register());
    await this.#step(`${this.#count} sidecars serve, each with a certificate`, () => this.#startSidecars());
    await this.#step('an intention for all arrives', () => this.#changeIntention());
    await this.#step('an instance of what all call leaves', () => this.#takeInstanceAway());
    await this.#step('nothing happens', () => new Promise((resolve) => setTimeout(resolve, idleMs)));
    return this.#steps;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#sidecars.map((sidecar) => sidecar.stop()));
    await Promise.all(this.#clients.map(({ client }) => client.close()));
    await Promise.all(this.#clients.map(({ agent }) => agent.stop()));
    await Promise.all(this.#servers.map((server) => server.stop()));
    await rm(this.#folder, { recursive: true, force: true });
  }

  get #count(): number {
    return this.#options.clients * this.#options.services;
  }

  get #server(): LictorClient {
    const [first] = this.#servers;
    if (first === undefined) throw new Error('there are servers');
    return first.client;
  }

  async #startClients(joins: readonly number[]): Promise<void> {
    const places = await agentPorts(this.#options.clients);
    const started = places.map(async (ports, at): Promise<Client> => {
      const name = `client-${at + 1}`;
      const hcl = plainAgentHcl({ name, dataDir: join(this.#folder, name), ports, expect: 0, joins });
      const agent = await startEmbeddedAgent({ hcl: [hcl] });
      return { name, agent, client: createClient({ address: agent.httpAddress }) };
    });
    this.#clients = await Promise.all(started);
    const nodes = this.#options.servers + this.#options.clients;
    const look = async (): Promise<true | undefined> => ((await this.#server.catalog.nodes()).value.length === nodes ? true : undefined);
    await until('all nodes are in the catalog', look, WAIT_MS);
  }

  async #register(): Promise<void> {
    const [first] = this.#clients;
    // Whose programs speak mTLS by themselves: no sidecar's check stands in the way.
    for (const ID of [`${SHARED}-1`, `${SHARED}-2`]) {
      await first?.client.agent.registerService({ ID, Name: SHARED, Port: 9, Connect: { Native: true } });
    }
    const ports = await freePorts(2 * this.#count);
    await this.#ofEachClient(async ({ client }, service) => {
      const Proxy = { Upstreams: [{ DestinationName: SHARED, LocalBindPort: ports.pop() }] };
      await client.agent.registerService({ Name: service, Port: 9, Connect: { SidecarService: { Port: ports.pop() ?? 0, Proxy } } });
    });
    // Consul's own service, what is shared, and each with its sidecar.
    const names = 2 + 2 * this.#count;
    const look = async (): Promise<true | undefined> =>
      Object.keys((await this.#server.catalog.services()).value).length === names ? true : undefined;
    await until('all services are in the catalog', look, WAIT_MS);
  }

  async #startSidecars(): Promise<void> {
    await this.#ofEachClient(async ({ agent }, service) => {
      const sidecar = new Sidecar({ agent: agent.httpAddress, service, onHeard: (heard) => this.#onHeard(heard) });
      this.#sidecars.push(sidecar);
      await sidecar.start();
    });
  }

  async #changeIntention(): Promise<Spread> {
    const arrivals = this.#arrivals(({ what, value }) => what === 'intentions' && value.length > 0);
    await this.#server.connect.upsertIntention({ SourceName: INTRUDER, DestinationName: '*', Action: 'deny' });
    return arrivals.spread(WAIT_MS);
  }

  async #takeInstanceAway(): Promise<Spread> {
    const arrivals = this.#arrivals(({ what, value }) => what === 'instances' && value.length === 1);
    await this.#clients[0]?.client.agent.deregisterService(`${SHARED}-2`);
    return arrivals.spread(WAIT_MS);
  }

  #arrivals(isChange: (heard: Heard) => boolean): Arrivals {
    const arrivals = new Arrivals(this.#count);
    this.#onHeard = (heard) => {
      if (isChange(heard)) arrivals.note(heard.sidecar);
    };
    return arrivals;
  }

  async #ofEachClient(act: (client: Client, service: string) => Promise<void>): Promise<void> {
    const ofClient = async (client: Client): Promise<void> => {
      const names = Array.from({ length: this.#options.services }, (_, at) => `${client.name}-service-${at + 1}`);
      const queue = names.values();
      await Promise.all(
        Array.from({ length: AT_ONCE }, async () => {
          for (const name of queue) await act(client, name);
        }),
      );
    };
    await Promise.all(this.#clients.map(ofClient));
  }

  async #step(name: string, act: () => Promise<Spread | void>): Promise<void> {
    const startedMs = performance.now();
    const before = this.#servers.map((server) => (server.isRunning ? server.stats().cpuMs : 0));
    const ownBefore = process.cpuUsage();
    const spread = await act();
    const tookMs = performance.now() - startedMs;
    const { user, system } = process.cpuUsage(ownBefore);
    const after = this.#servers.map((server) => server.stats());
    const load = {
      rssMib: after.map(({ rssBytes }) => rssBytes / 2 ** 20),
      cpu: after.map(({ cpuMs }, at) => (cpuMs - (before[at] ?? 0)) / tookMs),
    };
    const step = { name, tookMs, load, ownCpu: (user + system) / 1000 / tookMs, ...(spread !== undefined && { spread }) };
    this.#steps.push(step);
    this.#options.onStep?.(step);
  }
}
