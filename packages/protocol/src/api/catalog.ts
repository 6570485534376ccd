import { boolean, type Infer, integer, list, nullable, object, optional, record, string } from '../schema/index.ts';
import type { RaftIndex } from './common.ts';
import type { CheckDefinition, CheckStatus, NodeService } from './service.ts';
import { serviceAi } from './service-ai.ts';
import { checkDefinition, connectProxyConfig, serviceAddress, servicePort, weights } from './service.ts';

export interface Node extends RaftIndex {
  /** UUID, or empty for nodes registered by hand. */
  readonly ID: string;
  readonly Node: string;
  readonly Address: string;
  readonly Datacenter: string;
  readonly TaggedAddresses: Readonly<Record<string, string>> | null;
  readonly Meta: Readonly<Record<string, string>> | null;
}

/** A check's state in the catalog. */
export interface HealthCheck extends RaftIndex {
  readonly Node: string;
  readonly CheckID: string;
  readonly Name: string;
  readonly Status: CheckStatus;
  readonly Notes: string;
  readonly Output: string;
  /** Empty for a node check. */
  readonly ServiceID: string;
  readonly ServiceName: string;
  readonly ServiceTags: readonly string[];
  /** `tcp`, `http`, `ttl`, `alias`, ... or empty. */
  readonly Type: string;
  /** Go durations as text, empty when unset. */
  readonly Interval: string;
  readonly Timeout: string;
  readonly ExposedPort: number;
  readonly Definition: HealthCheckDefinition;
  readonly PeerName: string;
}

/** What a check does, as far as the catalog tells; only set fields are present. Durations in ms. */
export type HealthCheckDefinition = Partial<Omit<CheckDefinition, 'ID' | 'CheckID' | 'Name' | 'Notes' | 'ServiceID' | 'Status' | 'Token'>>;

/** One instance with the node that it runs on and every check that bears on it. */
export interface CheckServiceNode {
  readonly Node: Node;
  readonly Service: NodeService;
  readonly Checks: readonly HealthCheck[];
}

/** Mapped by service id. */
export interface NodeServices {
  readonly Node: Node;
  readonly Services: Readonly<Record<string, NodeService>>;
}

const registerService = object({
  Kind: string(),
  ID: string(),
  Service: string(),
  Tags: list(string()),
  Address: string(),
  TaggedAddresses: nullable(record(serviceAddress)),
  Meta: nullable(record(string())),
  Port: integer(),
  Ports: list(servicePort),
  SocketPath: string(),
  Weights: optional(weights),
  EnableTagOverride: boolean(),
  Proxy: optional(connectProxyConfig),
  Connect: optional(object({ Native: boolean() })),
  Locality: optional(record(string())),
  AI: optional(serviceAi),
  Namespace: string(),
  Partition: string(),
  PeerName: string(),
  CreateIndex: integer(),
  ModifyIndex: integer(),
});

const registerCheck = object({
  Node: string(),
  CheckID: string(),
  Name: string(),
  Status: string(),
  Notes: string(),
  Output: string(),
  ServiceID: string(),
  ServiceName: string(),
  ServiceTags: list(string()),
  Type: string(),
  Interval: string(),
  Timeout: string(),
  ExposedPort: integer(),
  Definition: optional(checkDefinition),
  Namespace: string(),
  Partition: string(),
  PeerName: string(),
  CreateIndex: integer(),
  ModifyIndex: integer(),
});

/** Body of PUT /v1/catalog/register. */
export const registerRequest = object({
  ID: string(),
  Node: string(),
  Address: string(),
  Datacenter: string(),
  TaggedAddresses: nullable(record(string())),
  NodeMeta: nullable(record(string())),
  Service: optional(registerService),
  Check: optional(registerCheck),
  Checks: list(registerCheck),
  SkipNodeUpdate: boolean(),
  Namespace: string(),
  Partition: string(),
  PeerName: string(),
});
export type RegisterRequest = Infer<typeof registerRequest>;
export type RegisterService = Infer<typeof registerService>;
export type RegisterCheck = Infer<typeof registerCheck>;

/** Body of PUT /v1/catalog/deregister. */
export const deregisterRequest = object({
  Node: string(),
  ServiceID: string(),
  CheckID: string(),
  Datacenter: string(),
  Namespace: string(),
  Partition: string(),
});
export type DeregisterRequest = Infer<typeof deregisterRequest>;
