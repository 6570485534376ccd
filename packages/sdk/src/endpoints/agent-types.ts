import type { ConnectProxyConfig, HealthCheck, ServiceAddress, ServiceKind, Weights } from '@lictor/protocol';

/** A service as the agent's endpoints show it. */
export interface AgentService {
  readonly Kind?: ServiceKind;
  readonly ID: string;
  readonly Service: string;
  readonly Tags: readonly string[] | null;
  readonly Meta: Readonly<Record<string, string>> | null;
  readonly Port: number;
  readonly Address: string;
  readonly SocketPath?: string;
  readonly TaggedAddresses?: Readonly<Record<string, ServiceAddress>>;
  readonly Weights: Weights;
  readonly EnableTagOverride: boolean;
  readonly CreateIndex?: number;
  readonly ModifyIndex?: number;
  /** What `watchHash` blocks on; only from GET /v1/agent/service/:id. */
  readonly ContentHash?: string;
  readonly Proxy?: ConnectProxyConfig;
  readonly Connect?: { readonly Native?: boolean };
  readonly Datacenter?: string;
}

/** A check as the API shows it: durations in its definition are Go texts. */
export type ApiHealthCheck = Omit<HealthCheck, 'Definition'> & { readonly Definition: Readonly<Record<string, unknown>> };

/** A check to register: durations are Go texts (`10s`). */
export interface CheckRegistration {
  readonly ID?: string;
  readonly CheckID?: string;
  readonly Name?: string;
  readonly Notes?: string;
  readonly ServiceID?: string;
  readonly Status?: string;
  readonly Args?: readonly string[];
  readonly HTTP?: string;
  readonly H2PING?: string;
  readonly H2PingUseTLS?: boolean;
  readonly Header?: Readonly<Record<string, readonly string[]>>;
  readonly Method?: string;
  readonly Body?: string;
  readonly DisableRedirects?: boolean;
  readonly TCP?: string;
  readonly TCPUseTLS?: boolean;
  readonly UDP?: string;
  readonly GRPC?: string;
  readonly GRPCUseTLS?: boolean;
  readonly OSService?: string;
  readonly AliasNode?: string;
  readonly AliasService?: string;
  readonly Interval?: string;
  readonly Timeout?: string;
  readonly TTL?: string;
  readonly TLSServerName?: string;
  readonly TLSSkipVerify?: boolean;
  readonly SuccessBeforePassing?: number;
  readonly FailuresBeforeWarning?: number;
  readonly FailuresBeforeCritical?: number;
  readonly DeregisterCriticalServiceAfter?: string;
  readonly OutputMaxSize?: number;
}

/** Body of PUT /v1/agent/service/register. */
export interface ServiceRegistration {
  readonly Kind?: ServiceKind;
  readonly ID?: string;
  readonly Name: string;
  readonly Tags?: readonly string[];
  readonly Port?: number;
  readonly Address?: string;
  readonly SocketPath?: string;
  readonly TaggedAddresses?: Readonly<Record<string, ServiceAddress>>;
  readonly EnableTagOverride?: boolean;
  readonly Meta?: Readonly<Record<string, string>>;
  readonly Weights?: Weights;
  readonly Check?: CheckRegistration;
  readonly Checks?: readonly CheckRegistration[];
  /** Every part is optional, as in a service definition file. */
  readonly Proxy?: Readonly<Record<string, unknown>>;
  readonly Connect?: { readonly Native?: boolean; readonly SidecarService?: Partial<ServiceRegistration> };
}

/** One member of the gossip pool. */
export interface AgentMember {
  readonly Name: string;
  readonly Addr: string;
  readonly Port: number;
  readonly Tags: Readonly<Record<string, string>>;
  /** Serf's: 0 none, 1 alive, 2 leaving, 3 left, 4 failed. */
  readonly Status: number;
  readonly ProtocolMin: number;
  readonly ProtocolMax: number;
  readonly ProtocolCur: number;
  readonly DelegateMin: number;
  readonly DelegateMax: number;
  readonly DelegateCur: number;
}

/** GET /v1/agent/self, as far as Consul promises it. */
export interface AgentSelf {
  readonly Config: { readonly Datacenter: string; readonly NodeName: string; readonly NodeID?: string; readonly Version?: string };
  readonly DebugConfig: Readonly<Record<string, unknown>>;
  readonly Stats: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly Member: AgentMember;
  readonly Meta: Readonly<Record<string, string>> | null;
}

export interface Authorization {
  readonly Authorized: boolean;
  readonly Reason: string;
}
