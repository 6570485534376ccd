import type { CallOptions } from '@lictor/protocol';
import type { Transport } from '@lictor/raft';
import type { MeshTrust } from '../tls/index.ts';
import type { RemoteCalls } from '../forward/forwarder.ts';
import type { ServerDiscovery } from './discovery.ts';

/** One call of another server, as it arrives here. The answer is the whole reply. */
export type ServedCall = (call: { readonly method: string; readonly request: unknown; readonly options: CallOptions }) => Promise<unknown>;

/** Where to connect to reach an address (`host:port`): a relay in front of it, for tests that cut and slow links. */
export type RouteTo = (address: string) => string;

export interface CallHandlers {
  /** Of other servers: answered here or not at all. */
  readonly ofServers: ServedCall;
  /** Of client agents. */
  readonly ofAgents: ServedCall;
  /** Of agents that have no certificate yet. */
  readonly ofStrangers: ServedCall;
}

/** What TLS between servers does for agents that get their certificates from the servers. */
export interface AgentAdmission {
  readonly verifiesServerHostname: boolean;
  /** PEM: whom the servers' own certificates are of. */
  readonly caPems: readonly string[];
  /** Agents with certificates of the mesh's CA may call from the next connection on. @throws LictorError */
  trustMesh(mesh: MeshTrust): void;
}

/** A server's listeners and its ways to the other servers, as a port: gRPC in production, virtual in simulations. */
export interface ClusterNetwork {
  readonly discovery: ServerDiscovery;
  readonly remote: RemoteCalls;
  /** Absent: there is no TLS. */
  readonly admission?: AgentAdmission;
  /** Calls of a server of another datacenter, which answers as it answers its agents. */
  readonly wide: (datacenter: string) => RemoteCalls;
  /** Raft's way to the other servers of a cluster. */
  createTransport(clusterId: string): Transport;
  /** Who answers whose calls. Before `listen`. */
  serve(handlers: CallHandlers): void;
  /** @throws LictorError when a port is taken */
  listen(): Promise<void>;
  /** Reads certificates and CA again, for connections from now on. @throws LictorError, and everything stays as it was */
  reloadTls(): void;
  /** Others' calls are turned away from now on; resolves when what was begun is done, or has had its time. */
  drain(): Promise<void>;
  stop(): Promise<void>;
}
