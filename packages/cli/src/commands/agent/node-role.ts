import { type AgentPool, type AgentStats, type RuntimeConfig, ServerList, ServerRouter } from '@lictor/client-agent';
import type { Clock, Logger, Metrics, Random, ServerPort } from '@lictor/protocol';
import { createServer, type DatacenterDirectory, type GossipKeyrings, type RaftTiming } from '@lictor/server';
import { createAgentCalls } from '@lictor/server/agent-rpc';
import { candidatesOf, nodesOf, serverSourceOf } from './pool-views.ts';
import { toRpcTlsConfig, toServerConfig } from './server-config.ts';
import { clientStats, serverStats } from './stats.ts';

export interface RolePorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Undefined: `-dev`, a server by itself. */
  readonly lan: AgentPool | undefined;
  /** Of servers with a WAN pool. */
  readonly datacenters: DatacenterDirectory | undefined;
  readonly keyrings: GossipKeyrings | undefined;
  /** Undefined: what the configuration says. */
  readonly raftTiming: RaftTiming | undefined;
}

/** What a node is to the cluster: a server, or a client of the servers. */
export interface NodeRole {
  /** The agent's way to the servers. */
  readonly port: ServerPort;
  start(): Promise<void>;
  /** Says goodbye to the other servers. */
  leave(): Promise<void>;
  stop(): Promise<void>;
  reloadTls(): void;
  /** Calls back when there are servers that were not there; returns the unsubscriber. */
  onServersFound(listener: () => void): () => void;
  /** Its groups of `info`. */
  stats(): AgentStats;
}

/** @throws LictorError for TLS files that cannot be used, and a client without gossip */
export function createNodeRole(config: RuntimeConfig, ports: RolePorts): NodeRole {
  return config.server || ports.lan === undefined ? createServerRole(config, ports) : createClientRole(config, ports.lan, ports);
}

function createServerRole(config: RuntimeConfig, { lan, datacenters, keyrings, raftTiming, ...ports }: RolePorts): NodeRole {
  const serverConfig = toServerConfig(config);
  const server = createServer(raftTiming === undefined ? serverConfig : { ...serverConfig, raftTiming }, {
    ...ports,
    ...(lan !== undefined && { candidates: candidatesOf(lan), nodes: nodesOf(lan) }),
    ...(datacenters !== undefined && { datacenters }),
    ...(keyrings !== undefined && { keyrings }),
  });
  return {
    port: server.port,
    start: () => server.start(),
    leave: () => server.leave(),
    stop: () => server.stop(),
    reloadTls: () => server.reloadTls(),
    onServersFound: (listener) => server.consensus.onLeaderChange(listener),
    stats: () => serverStats(config, server),
  };
}

function createClientRole(config: RuntimeConfig, lan: AgentPool, { logger: parent, ...ports }: RolePorts): NodeRole {
  const logger = parent.named('client');
  const servers = new ServerList({ ...ports, logger, source: serverSourceOf(lan) });
  const calls = createAgentCalls(toRpcTlsConfig(config), { ...ports, logger });
  const { rpcHoldMs: holdMs, defaultQueryTimeMs: defaultWaitMs, maxQueryTimeMs: maxWaitMs } = config;
  return {
    port: new ServerRouter({ holdMs, defaultWaitMs, maxWaitMs }, { ...ports, logger, remote: calls, servers }),
    start: () => Promise.resolve(servers.start()),
    leave: () => Promise.resolve(),
    stop: () => {
      servers.stop();
      return Promise.resolve(calls.close());
    },
    reloadTls: () => calls.reloadTls(),
    onServersFound: (listener) => servers.onArrival(listener),
    stats: () => clientStats(config, servers.all().length),
  };
}
