import type {
  CheckStatus,
  ConnectProxyConfig,
  DeregisterRequest,
  Node,
  RegisterRequest,
  ServiceAddress,
  ServiceKind,
  Weights,
} from '@lictor/protocol';
import type { AgentService } from './agent-types.ts';
import { apiPath, type HttpClient } from '../http.ts';
import type { Answer, QueryOptions, WriteOptions } from '../query.ts';

/** One instance, flat, as /v1/catalog/service answers it. */
export interface CatalogService {
  /** The node's id. */
  readonly ID: string;
  readonly Node: string;
  readonly Address: string;
  readonly Datacenter: string;
  readonly TaggedAddresses: Readonly<Record<string, string>> | null;
  readonly NodeMeta: Readonly<Record<string, string>> | null;
  readonly ServiceKind?: ServiceKind;
  readonly ServiceID: string;
  readonly ServiceName: string;
  readonly ServiceTags: readonly string[] | null;
  readonly ServiceAddress: string;
  readonly ServiceTaggedAddresses?: Readonly<Record<string, ServiceAddress>>;
  readonly ServiceWeights: Weights;
  readonly ServiceMeta: Readonly<Record<string, string>> | null;
  readonly ServicePort: number;
  readonly ServiceSocketPath: string;
  readonly ServiceEnableTagOverride: boolean;
  readonly ServiceProxy: ConnectProxyConfig;
  readonly ServiceConnect: { readonly Native?: boolean };
  readonly CreateIndex: number;
  readonly ModifyIndex: number;
}

export interface CatalogNode {
  readonly Node: Node;
  /** By service id. */
  readonly Services: Readonly<Record<string, AgentService>>;
}

/** Only what a caller sets: the agent fills in the rest. */
export type Registration = Partial<Omit<RegisterRequest, 'Service' | 'Check' | 'Checks'>> & {
  readonly Service?: Partial<NonNullable<RegisterRequest['Service']>>;
  readonly Check?: RegistrationCheck;
  readonly Checks?: readonly RegistrationCheck[];
};
export interface RegistrationCheck {
  readonly Node?: string;
  readonly CheckID?: string;
  readonly Name?: string;
  readonly Status?: CheckStatus;
  readonly Notes?: string;
  readonly Output?: string;
  readonly ServiceID?: string;
  readonly Definition?: Readonly<Record<string, unknown>>;
}

/** /v1/catalog */
export class CatalogApi {
  readonly #http: HttpClient;

  constructor(http: HttpClient) {
    this.#http = http;
  }

  async datacenters(options: QueryOptions = {}): Promise<readonly string[]> {
    return (await this.#http.list<string>(apiPath('catalog', 'datacenters'), options)).value;
  }

  nodes(options: QueryOptions = {}): Promise<Answer<readonly Node[]>> {
    return this.#http.list(apiPath('catalog', 'nodes'), options);
  }

  /** Tags by service name. */
  services(options: QueryOptions = {}): Promise<Answer<Readonly<Record<string, readonly string[]>>>> {
    return this.#http.query(apiPath('catalog', 'services'), options);
  }

  service(name: string, options: QueryOptions & { readonly tag?: string } = {}): Promise<Answer<readonly CatalogService[]>> {
    return this.#http.list(apiPath('catalog', 'service', name), { ...options, parameters: { tag: options.tag } });
  }

  /** The mesh-capable instances of a service: its sidecars and native ones. */
  connect(name: string, options: QueryOptions & { readonly tag?: string } = {}): Promise<Answer<readonly CatalogService[]>> {
    return this.#http.list(apiPath('catalog', 'connect', name), { ...options, parameters: { tag: options.tag } });
  }

  /** By name or id; null when there is no such node. */
  node(name: string, options: QueryOptions = {}): Promise<Answer<CatalogNode | null>> {
    return this.#http.query(apiPath('catalog', 'node', name), options);
  }

  async register(registration: Registration, options: WriteOptions = {}): Promise<void> {
    await this.#http.text('PUT', apiPath('catalog', 'register'), { ...options, body: JSON.stringify(registration) });
  }

  async deregister(request: Partial<DeregisterRequest>, options: WriteOptions = {}): Promise<void> {
    await this.#http.text('PUT', apiPath('catalog', 'deregister'), { ...options, body: JSON.stringify(request) });
  }
}
