import type { AgentPool, AgentStats } from '@lictor/client-agent';
import type { Clock, Logger, Metrics, Random, ServerPort } from '@lictor/protocol';
import type { DatacenterDirectory, GossipKeyrings, ServerConfig } from '@lictor/server';
import type { Machine } from './machine.ts';

/** How fast servers find each other, and a leader. */
export type ServerTiming = Pick<ServerConfig, 'raftTiming' | 'greetEveryMs'>;

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
  readonly serverTiming: ServerTiming | undefined;
  readonly machine: Machine;
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
