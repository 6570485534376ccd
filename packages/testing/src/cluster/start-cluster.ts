import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '@lictor/protocol/testing';
import { agentConfig, type AgentPorts } from './agent-config.ts';
import { TestAgent } from './test-agent.ts';

export interface ClusterOptions {
  /** Default 1. */
  readonly servers?: number;
  /** Agents that are no servers; default 0. */
  readonly clients?: number;
  /** Configuration of every agent, as in files. */
  readonly hcl?: string;
  /** Takes every agent's log, line by line. */
  readonly onLog?: (agent: string, line: string) => void;
}

const READY_MS = 30_000;
const LOOK_EVERY_MS = 10;

/** A cluster in this process, on ports of 127.0.0.1 that were free: real sockets and disks, and a clock that cannot be moved. */
export class LocalCluster {
  readonly servers: readonly TestAgent[];
  readonly clients: readonly TestAgent[];
  readonly #folder: string;

  constructor(servers: readonly TestAgent[], clients: readonly TestAgent[], folder: string) {
    this.servers = servers;
    this.clients = clients;
    this.#folder = folder;
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
    return eventually('the servers agree on a leader', configurations);
  }

  /** Ends all agents and sidecars, and removes what they kept. */
  async stop(): Promise<void> {
    await Promise.all(this.clients.map((agent) => agent.stop()));
    await Promise.all(this.servers.map((agent) => agent.stop()));
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/**
 * Starts servers and clients, and resolves when all of them know the leader.
 * @throws Error, with nothing left behind
 */
export async function startCluster(options: ClusterOptions = {}): Promise<LocalCluster> {
  const { servers = 1, clients = 0, hcl = '', onLog } = options;
  const folder = await mkdtemp(join(tmpdir(), 'lictor-testing-'));
  const numbers = await freePorts((servers + clients) * 3);
  const places = Array.from({ length: servers + clients }, (_, at) => portsAt(numbers, at));
  const joins = places.slice(0, servers).map(({ serf }) => serf);
  const agents = places.map((ports, at) => {
    const name = at < servers ? `server-${at + 1}` : `client-${at - servers + 1}`;
    const plan = {
      name,
      dataDir: join(folder, name),
      ports,
      expect: at < servers ? servers : 0,
      joins: servers + clients > 1 ? joins : [],
    };
    return new TestAgent(name, [agentConfig(plan), hcl], onLog === undefined ? undefined : (line) => onLog(name, line));
  });
  const cluster = new LocalCluster(agents.slice(0, servers), agents.slice(servers), folder);
  try {
    await Promise.all(agents.map((agent) => agent.start()));
    await cluster.leader();
    await Promise.all(cluster.clients.map((client) => eventually(`${client.name} knows a leader`, () => knowsLeader(client))));
    return cluster;
  } catch (thrown) {
    await cluster.stop();
    throw thrown;
  }
}

function portsAt(numbers: readonly number[], at: number): AgentPorts {
  const [http = 0, server = 0, serf = 0] = numbers.slice(at * 3);
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

/** Real time passes here: a condition is looked at again and again, for a bounded time. */
async function eventually<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  const deadlineMs = performance.now() + READY_MS;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > deadlineMs) throw new Error(`not within ${READY_MS} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}
