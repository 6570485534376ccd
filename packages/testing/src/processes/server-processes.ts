import { freePorts } from '@lictor/protocol/testing';
import { AgentProcess } from './agent-process.ts';
import { until } from './until.ts';

const PORTS_EACH = 3;
const READY_MS = 60_000;

export interface PlainAgentPlan {
  readonly name: string;
  readonly dataDir: string;
  readonly ports: readonly [http: number, server: number, serf: number];
  /** Servers that form the cluster together; 0: a client. */
  readonly expect: number;
  /** Ports of gossip. */
  readonly joins: readonly number[];
}

/** Consul's own timings, at their fastest for Raft; only what is measured listens. */
export function plainAgentHcl({ name, dataDir, ports, expect, joins }: PlainAgentPlan): string {
  const [http, server, serf] = ports;
  return `
    node_name = ${JSON.stringify(name)}
    data_dir = ${JSON.stringify(dataDir)}
    ${expect === 0 ? '' : `server = true bootstrap_expect = ${expect}`}
    bind_addr = "127.0.0.1"
    client_addr = "127.0.0.1"
    retry_join = ${JSON.stringify(joins.map((port) => `127.0.0.1:${port}`))}
    retry_interval = "1s"
    log_level = "warn"
    performance { raft_multiplier = 1 }
    telemetry { prometheus_retention_time = "60s" disable_hostname = true }
    limits { http_max_conns_per_client = 10000 rpc_max_conns_per_client = 1000 }
    ports { http = ${http} server = ${server} serf_lan = ${serf} serf_wan = -1 dns = -1 grpc = -1 grpc_tls = -1 }`;
}

/** Three of each, free a moment ago. */
export async function agentPorts(agents: number): Promise<readonly PlainAgentPlan['ports'][]> {
  const numbers = await freePorts(agents * PORTS_EACH);
  return Array.from({ length: agents }, (_, at) => {
    const [http = 0, server = 0, serf = 0] = numbers.slice(at * PORTS_EACH);
    return [http, server, serf] as const;
  });
}

export interface ProcessesPlan {
  readonly folder: string;
  readonly servers: number;
  readonly clients: number;
  /** Configuration beside the usual one. */
  readonly hcl?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

/** Agents as processes, which do not run yet. The first `servers` are servers, the others clients. */
export async function planProcesses({
  folder,
  servers,
  clients,
  hcl: more = '',
  environment = {},
}: ProcessesPlan): Promise<PlannedProcesses> {
  const places = await agentPorts(servers + clients);
  const joins = places.slice(0, servers).map(([, , serf]) => serf);
  const agents = places.map((ports, at) => {
    const name = at < servers ? `server-${at + 1}` : `client-${at - servers + 1}`;
    const hcl = plainAgentHcl({ name, dataDir: `${folder}/${name}`, ports, expect: at < servers ? servers : 0, joins });
    return new AgentProcess({ name, folder, environment, httpPort: ports[0], hcl: `${hcl} ${more}` });
  });
  return { servers: agents.slice(0, servers), clients: agents.slice(servers), joins };
}

export interface PlannedProcesses {
  readonly servers: readonly AgentProcess[];
  readonly clients: readonly AgentProcess[];
  /** Ports of the servers' gossip. */
  readonly joins: readonly number[];
}

/** The one whom all running servers name. @throws Error when there is none in time */
export function leaderOf(servers: readonly AgentProcess[]): Promise<AgentProcess> {
  return until(
    'the servers agree on a leader',
    async () => {
      const running = servers.filter(({ isRunning }) => isRunning);
      const named = await Promise.all(running.map(leaderSeenBy));
      return named.every((name) => name === named[0]) ? running.find(({ name }) => name === named[0]) : undefined;
    },
    READY_MS,
  );
}

async function leaderSeenBy({ client }: AgentProcess): Promise<string | undefined> {
  const signal = AbortSignal.timeout(2_000);
  const { Servers } = await client.operator.raftConfiguration({ consistency: 'stale', signal });
  return Servers.find(({ Leader }) => Leader)?.Node;
}
