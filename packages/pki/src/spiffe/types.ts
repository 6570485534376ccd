/** The partition that IDs without `/ap/` belong to. */
export const DEFAULT_PARTITION = 'default';

/** A service; what leaves of sidecars and native applications carry. `/ns/N/dc/D/svc/S`. */
export interface ServiceSpiffeId {
  readonly kind: 'service';
  readonly trustDomain: string;
  readonly partition: string;
  readonly namespace: string;
  readonly datacenter: string;
  readonly service: string;
}

/** A client agent. `/agent/client/dc/D/id/NODE`. */
export interface AgentSpiffeId {
  readonly kind: 'agent';
  readonly trustDomain: string;
  readonly partition: string;
  readonly datacenter: string;
  readonly node: string;
}

/** The servers of a datacenter, as peers see them. `/agent/server/dc/D`. */
export interface ServerSpiffeId {
  readonly kind: 'server';
  readonly trustDomain: string;
  readonly datacenter: string;
}

/** `/gateway/mesh/dc/D`. */
export interface MeshGatewaySpiffeId {
  readonly kind: 'mesh-gateway';
  readonly trustDomain: string;
  readonly partition: string;
  readonly datacenter: string;
}

/** The bare trust domain: what CA certificates carry, and nothing that authenticates. */
export interface SigningSpiffeId {
  readonly kind: 'signing';
  readonly trustDomain: string;
}

export type SpiffeId = ServiceSpiffeId | AgentSpiffeId | ServerSpiffeId | MeshGatewaySpiffeId | SigningSpiffeId;
