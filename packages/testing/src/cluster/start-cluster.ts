import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@lictor/protocol/system';
import { freePorts } from '@lictor/protocol/testing';
import { agentConfig, type AgentPorts } from './agent-config.ts';
import { Faults, relayCount } from './faults/index.ts';
import { ManualClock } from './manual-clock.ts';
import { CALM_TIMING, QUICK_TIMING, TestAgent, type TestAgentPlan } from './test-agent.ts';

export interface ClusterOptions {
  /** Default 1. */
  readonly servers?: number;
  /** Agents that are no servers; default 0. */
  readonly clients?: number;
  /** Configuration of every agent, as in files. */
  readonly hcl?: string;
  /** `manual`: the test can move all agents' time, with `cluster.clock`. Default `system`. */
  readonly clock?: 'system' | 'manual';
  /** Whether links and disks can be broken, with `cluster.faults`: everything then goes through relays. Default false. */
  readonly faults?: boolean;
  /** Takes every agent's log, line by line. */
  readonly onLog?: (agent: string, line: string) => void;
}

const PORTS_EACH = 3;
const READY_MS = 30_000;
const LOOK_EVERY_MS = 10;

/** What a cluster is made of. */
interface Parts {
  readonly servers: readonly TestAgent[];
  readonly clients: readonly TestAgent[];
  readonly folder: string;
  readonly clock: ManualClock | undefined;
  readonly faults: Faults | undefined;
}

/** A cluster in this process, on ports of 127.0.0.1 that were free: real sockets and disks. */
export class LocalCluster {
  readonly servers: readonly TestAgent[];
  readonly clients: readonly TestAgent[];
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.servers = parts.servers;
    this.clients = parts.clients;
    this.#parts = parts;
  }

  /** Moves all agents' time. @throws Error unless started with `clock: 'manual'` */
  get clock(): ManualClock {
    if (this.#parts.clock === undefined) throw new Error("time goes by itself: start the cluster with { clock: 'manual' }");
    return this.#parts.clock;
  }

  /** Breaks links and disks. @throws Error unless started with `faults: true` */
  get faults(): Faults {
    if (this.#parts.faults === undefined) throw new Error('nothing can be broken: start the cluster with { faults: true }');
    return this.#parts.faults;
  }

  /** The agent that a program would talk to: the first client, else the first server. */
  get agent(): TestAgent {
    const [first] = [...this.clients, ...this.servers];
    if (first === undefined) throw new Error('a cluster has a server');
    return first;
  }

  /** The server that leads, by the word of all that run. @throws Error when there is none in time */
  async leader(): Promise<TestAgent> {
    const running = this.servers.filter(({ isRunning }) => isRunning);
    const configurations = async (): Promise<TestAgent | undefined> => {
      const named = await Promise.all(running.map(leaderSeenBy));
      const [first] = named;
      return first !== undefined && named.every((name) => name === first) ? running.find(({ name }) => name === first) : undefined;
    };
    return this.#eventually('the servers agree on a leader', configurations);
  }

  /** Resolves when all running clients can ask the servers. @throws Error when they cannot in time */
  async clientsKnowLeader(): Promise<void> {
    const running = this.clients.filter(({ isRunning }) => isRunning);
    const look = async (): Promise<true | undefined> => ((await Promise.all(running.map(knowsLeader))).every(Boolean) ? true : undefined);
    await this.#eventually('the clients know a leader', look);
  }

  /** Ends all agents and sidecars, and removes what they kept. */
  async stop(): Promise<void> {
    await this.#hasten(Promise.all(this.clients.map((agent) => agent.stop())));
    await this.#hasten(Promise.all(this.servers.map((agent) => agent.stop())));
    await this.#parts.faults?.stop();
    await rm(this.#parts.folder, { recursive: true, force: true });
  }

  /** Where time can be moved nobody sits out a timeout. */
  async #hasten(work: Promise<unknown>): Promise<void> {
    const state = { isDone: false };
    const ended = work.finally(() => (state.isDone = true));
    while (this.#parts.clock !== undefined && !state.isDone) {
      await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 1))]);
      await this.#parts.clock.advance(LOOK_EVERY_MS);
    }
    await ended;
  }

  /** A condition is looked at again and again, for a bounded time: real time passes here, and where it can be moved it is. */
  async #eventually<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
    const deadlineMs = performance.now() + READY_MS;
    for (;;) {
      const found = await look();
      if (found !== undefined) return found;
      if (performance.now() > deadlineMs) throw new Error(`not within ${READY_MS} ms: ${what}`);
      await this.#parts.clock?.advance(LOOK_EVERY_MS);
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  }
}

/**
 * Starts servers and clients, and resolves when all of them know the leader.
 * @throws Error, with nothing left behind
 */
export async function startCluster(options: ClusterOptions = {}): Promise<LocalCluster> {
  const cluster = await createCluster(options);
  try {
    await Promise.all([...cluster.servers, ...cluster.clients].map((agent) => agent.start()));
    await cluster.leader();
    await cluster.clientsKnowLeader();
    return cluster;
  } catch (thrown) {
    await cluster.stop();
    throw thrown;
  }
}

/** Agents that do not run yet. */
async function createCluster(options: ClusterOptions): Promise<LocalCluster> {
  const { servers = 1, clients = 0, hcl = '', onLog } = options;
  const folder = await mkdtemp(join(tmpdir(), 'lictor-testing-'));
  const numbers = await freePorts((servers + clients) * PORTS_EACH + (options.faults === true ? relayCount(servers, clients) : 0));
  const places = Array.from({ length: servers + clients }, (_, at) => ({
    name: at < servers ? `server-${at + 1}` : `client-${at - servers + 1}`,
    isServer: at < servers,
    ports: portsAt(numbers, at),
  }));
  const joins = places.slice(0, servers).map(({ ports }) => ports.serf);
  const manual = options.clock === 'manual' ? new ManualClock() : undefined;
  const faults = options.faults === true ? new Faults(places, manual ?? systemClock) : undefined;
  await faults?.start(numbers.slice(places.length * PORTS_EACH));
  const agents = places.map(({ name, isServer, ports }) => {
    const plan = { name, dataDir: join(folder, name), ports, expect: isServer ? servers : 0, joins: places.length > 1 ? joins : [] };
    return new TestAgent(name, {
      hcl: [agentConfig(plan), hcl],
      machine: machineOf(name, manual, faults),
      timing: manual === undefined ? QUICK_TIMING : CALM_TIMING,
      onLog: onLog === undefined ? undefined : (line) => onLog(name, line),
    });
  });
  return new LocalCluster({ servers: agents.slice(0, servers), clients: agents.slice(servers), folder, clock: manual, faults });
}

/** What the agent has of its machine, faults nearest to the agent. */
function machineOf(name: string, manual: ManualClock | undefined, faults: Faults | undefined): TestAgentPlan['machine'] {
  const faulty = faults?.machineOf(name) ?? {};
  if (manual === undefined) return { clock: systemClock, ...faulty };
  const { wrapStorage = (storage) => storage } = faulty;
  return { ...faulty, clock: manual, wrapStorage: (storage) => wrapStorage(manual.wrapStorage(storage)) };
}

function portsAt(numbers: readonly number[], at: number): AgentPorts {
  const [http = 0, server = 0, serf = 0] = numbers.slice(at * PORTS_EACH);
  return { http, server, serf };
}

/** By name. */
async function leaderSeenBy(agent: TestAgent): Promise<string | undefined> {
  const answer = await agent.client.operator.raftConfiguration({ consistency: 'stale' }).catch(() => undefined);
  return answer?.Servers.find(({ Leader }) => Leader)?.Node;
}

async function knowsLeader(agent: TestAgent): Promise<true | undefined> {
  const leader = await agent.client.status.leader().catch(() => '');
  return leader === '' ? undefined : true;
}
