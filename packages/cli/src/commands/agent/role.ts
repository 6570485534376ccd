import type { AgentPool, AgentStats, HttpsIdentity, RuntimeConfig } from '@lictor/client-agent';
import type { Clock, Logger, Metrics, Random, Secret, ServerPort } from '@lictor/protocol';
import type { DatacenterDirectory, GossipKeyrings, ServerConfig } from '@lictor/server';
import type { Machine } from './machine.ts';

/** How fast servers find each other, and a leader. */
export type ServerTiming = Pick<ServerConfig, 'raftTiming' | 'greetEveryMs'>;

export interface RolePorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Undefined: a server of `-dev` by itself. */
  readonly lan: AgentPool | undefined;
  /** Of servers with a WAN pool. */
  readonly datacenters: DatacenterDirectory | undefined;
  readonly keyrings: GossipKeyrings | undefined;
  /** The one that the agent's own calls carry. */
  readonly agentToken: () => Secret;
  /** Undefined: what the configuration says. */
  readonly serverTiming: ServerTiming | undefined;
  readonly machine: Machine;
}

/** What a node is to the cluster: a server, or a client of the servers. */
export interface NodeRole {
  /** The agent's way to the servers. */
  readonly port: ServerPort;
  /** Of a client that gets its certificate from the servers, once it has started. */
  readonly httpsIdentity?: HttpsIdentity;
  /** @throws LictorError `cancelled` when it is stopped before it has all that it needs from the servers */
  start(): Promise<void>;
  /** Says goodbye to the other servers. */
  leave(): Promise<void>;
  stop(): Promise<void>;
  /** Follows a new configuration, and reads TLS files again. @throws LictorError for files that cannot be used */
  reload(config: RuntimeConfig): void;
  /** Calls back when there are servers that were not there; returns the unsubscriber. */
  onServersFound(listener: () => void): () => void;
  /** Its groups of `info`. */
  stats(): AgentStats;
}
