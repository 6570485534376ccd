import type { RaftIndex } from './common.ts';

/** A service that a gateway's config entry leads to, as GET /v1/catalog/gateway-services/:gateway lists it; empty fields are left out. */
export interface GatewayService extends RaftIndex {
  readonly Gateway: { readonly Name: string };
  readonly Service: { readonly Name: string };
  readonly GatewayKind: 'ingress-gateway' | 'terminating-gateway';
  /** Of the listener; ingress gateways only. */
  readonly Port?: number;
  readonly Protocol?: string;
  readonly Hosts?: readonly string[];
  /** For TLS towards the service; terminating gateways only. */
  readonly CAFile?: string;
  readonly CertFile?: string;
  readonly KeyFile?: string;
  readonly SNI?: string;
  readonly AutoHostRewrite?: true;
  /** The entry says `*`. */
  readonly FromWildcard?: true;
  /** Whether the service has instances or is only a destination of service-defaults. */
  readonly ServiceKind?: 'service' | 'destination';
}
