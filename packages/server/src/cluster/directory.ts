/** A server of this datacenter, as the servers tell each other about themselves. */
export interface ServerMember {
  /** The node id: a UUID, the same for the server's whole life, and its name in Raft. */
  readonly id: string;
  readonly name: string;
  readonly datacenter: string;
  /** `ip:port` of its RPC: Raft and forwarded calls. */
  readonly rpcAddress: string;
  /** How many servers it waits for before the first election; 0: it never bootstraps. */
  readonly bootstrapExpect: number;
  /** Started with `-bootstrap`. */
  readonly isBootstrap: boolean;
  /** The API level that it reports: `1.21.0`. */
  readonly version: string;
  /** Of xDS, as the catalog shows them; 0 when off. */
  readonly grpcPort: number;
  readonly grpcTlsPort: number;
  /** The cluster whose log it holds; empty while it has none. */
  readonly clusterId: string;
  readonly status: MemberStatus;
}

export type MemberStatus = 'alive' | 'failed' | 'left';

/** Who the servers are. */
export interface ServerDirectory {
  /** This server included, in order of their ids. */
  members(): readonly ServerMember[];
  /** Called after each change; returns the unsubscriber. */
  onChange(listener: () => void): () => void;
  /** What an operator's `force-leave` does: the server counts as gone. False: there is none of that name. */
  forceLeave(name: string): boolean;
}

/** A node of this datacenter, server or client, as the catalog is to show it. */
export interface NodeMember {
  readonly id: string;
  readonly name: string;
  readonly datacenter: string;
  /** IP address. */
  readonly address: string;
  readonly version: string;
  readonly status: MemberStatus;
  /** Null: a client. */
  readonly server: ServerPortNumbers | null;
}

export interface ServerPortNumbers {
  readonly rpcPort: number;
  /** Of xDS; 0 when off. */
  readonly grpcPort: number;
  readonly grpcTlsPort: number;
}

/** Who the nodes are: gossip knows. */
export interface NodeDirectory {
  /** This node included. */
  members(): readonly NodeMember[];
  /** Called after each change; returns the unsubscriber. */
  onChange(listener: () => void): () => void;
}
