import { type EmbeddedAgent, type Machine, type ServerTiming, startEmbeddedAgent } from '@lictor/cli';
import { createClient, type LictorClient } from '@lictor/sdk';
import { freePort } from '@lictor/protocol/testing';
import { type Clock, silentLogger, silentMetrics } from '@lictor/protocol';
import { systemRandom } from '@lictor/protocol/system';
import { createAgentControlPlane, createProxy, type Proxy } from '@lictor/proxy';

/** Servers that have each other at hand: they meet at once, and elect within a fraction of a second. */
export const QUICK_TIMING: ServerTiming = { raftTiming: { heartbeatMs: 30, electionTimeoutMs: 300, leaseMs: 150 }, greetEveryMs: 100 };

/** Where time can be moved nobody waits for elections, and a busy machine must not bring them about: Consul's fastest for production. */
export const CALM_TIMING: ServerTiming = { raftTiming: { heartbeatMs: 100, electionTimeoutMs: 1000, leaseMs: 500 }, greetEveryMs: 100 };

export interface ServiceDefinition {
  readonly name: string;
  /** Where the program listens, on 127.0.0.1. */
  readonly port: number;
  /** Services that the program calls: a local port is chosen for each. */
  readonly upstreams?: readonly string[];
}

/** A service with its sidecar. */
export interface TestService {
  readonly name: string;
  /** Where the program reaches an upstream, on 127.0.0.1. @throws RangeError for another name */
  upstreamPort(name: string): number;
  /** Takes the service out of the catalog, and ends its sidecar. */
  stop(): Promise<void>;
}

export interface TestAgentPlan {
  /** Configuration, as in files. */
  readonly hcl: readonly string[];
  readonly machine: Partial<Machine> & { readonly clock: Clock };
  readonly timing: ServerTiming;
  readonly onLog: ((line: string) => void) | undefined;
}

/** One agent of a cluster in this process, a server or a client. */
export class TestAgent {
  readonly name: string;
  readonly #hcl: readonly string[];
  readonly #onLog: ((line: string) => void) | undefined;
  readonly #timing: ServerTiming;
  readonly #machine: Partial<Machine> & { readonly clock: Clock };
  readonly #services = new Set<TestService>();
  #agent: EmbeddedAgent | undefined;
  /** Of this life of the agent: each has connections of its own, and an agent takes so many from one address. */
  #client: LictorClient | undefined;

  constructor(name: string, { hcl, machine, timing, onLog }: TestAgentPlan) {
    this.name = name;
    this.#hcl = hcl;
    this.#onLog = onLog;
    this.#machine = machine;
    this.#timing = timing;
  }

  get isRunning(): boolean {
    return this.#agent !== undefined;
  }

  /** `http://ip:port` of its API. @throws Error while it does not run */
  get httpAddress(): string {
    if (this.#agent === undefined) throw new Error(`${this.name} does not run`);
    return this.#agent.httpAddress;
  }

  /** Of this agent's API. */
  get client(): LictorClient {
    this.#client ??= createClient({ address: this.httpAddress, clock: this.#machine.clock });
    return this.#client;
  }

  /** On the data that it had, if it ran before. */
  async start(): Promise<void> {
    if (this.#agent !== undefined) return;
    this.#agent = await startEmbeddedAgent({
      hcl: this.#hcl,
      serverTiming: this.#timing,
      machine: this.#machine,
      ...(this.#onLog !== undefined && { onLog: this.#onLog }),
    });
  }

  /** As a process that dies: the others have to notice. */
  async kill(): Promise<void> {
    const [agent, client] = [this.#agent, this.#client];
    this.#agent = undefined;
    this.#client = undefined;
    await client?.close();
    await agent?.stop();
  }

  /** Says goodbye, and ends. */
  async leave(): Promise<void> {
    await this.#agent?.leave();
    await this.kill();
  }

  /** Registers a service here, and starts its sidecar. Resolves when that serves. */
  async addService({ name, port, upstreams = [] }: ServiceDefinition): Promise<TestService> {
    const { client } = this;
    const ports = new Map<string, number>();
    for (const upstream of upstreams) ports.set(upstream, await freePort());
    await client.agent.registerService({
      Name: name,
      Port: port,
      Address: '127.0.0.1',
      Connect: {
        SidecarService: {
          Port: await freePort(),
          Proxy: {
            Upstreams: [...ports].map(([DestinationName, LocalBindPort]) => ({ DestinationName, LocalBindPort })),
          },
        },
      },
    });
    const proxy = createProxy(
      { source: { kind: 'agent', proxyId: `${name}-sidecar-proxy` }, drainTimeoutMs: 0 },
      {
        controlPlane: createAgentControlPlane(client),
        clock: this.#machine.clock,
        random: systemRandom,
        logger: silentLogger,
        metrics: silentMetrics,
      },
    );
    proxy.start();
    await proxy.ready;
    const service: TestService = {
      name,
      upstreamPort: (upstream) => {
        const local = ports.get(upstream);
        if (local === undefined) throw new RangeError(`${name} has no upstream ${upstream}`);
        return local;
      },
      stop: () => this.#stopService(service, proxy),
    };
    this.#services.add(service);
    return service;
  }

  /** With its sidecars. */
  async stop(): Promise<void> {
    await Promise.all([...this.#services].map((service) => service.stop()));
    await this.kill();
  }

  async #stopService(service: TestService, proxy: Proxy): Promise<void> {
    if (!this.#services.delete(service)) return;
    await proxy.stop();
    if (this.isRunning) await this.client.agent.deregisterService(service.name).catch(() => undefined);
  }
}
