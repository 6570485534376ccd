import type { PreparedQuery, PreparedQueryResult } from '@lictor/protocol';
import { apiPath, type HttpClient } from '../http.ts';
import type { Answer, QueryOptions, WriteOptions } from '../query.ts';
import type { ApiCheckServiceNode } from './health.ts';

/** What is left out has its zero value. */
export interface PreparedQueryInput {
  readonly Name?: string;
  readonly Session?: string;
  /** It is executed with this token's rights, whoever asks. */
  readonly Token?: string;
  readonly Template?: Partial<PreparedQuery['Template']>;
  readonly Service: Partial<Omit<PreparedQuery['Service'], 'Failover'>> & { readonly Failover?: PreparedQueryFailover };
  /** A Go duration. */
  readonly DNS?: { readonly TTL: string };
}

/** NearestN and Datacenters, or Targets. */
export interface PreparedQueryFailover {
  readonly NearestN?: number;
  readonly Datacenters?: readonly string[];
  readonly Targets?: readonly { readonly Datacenter?: string; readonly Peer?: string }[];
}

export interface ExecuteOptions extends QueryOptions {
  /** At most so many instances. */
  readonly limit?: number;
  /** Instances that stand for the service in the mesh, whatever the query says. */
  readonly connect?: boolean;
}

export type PreparedQueryExecution = Omit<PreparedQueryResult, 'Nodes'> & { readonly Nodes: readonly ApiCheckServiceNode[] };

/** /v1/query */
export class PreparedQueryApi {
  readonly #http: HttpClient;

  constructor(http: HttpClient) {
    this.#http = http;
  }

  /** Its id. */
  async create(query: PreparedQueryInput, options: WriteOptions = {}): Promise<string> {
    return (await this.#http.write<{ readonly ID: string }>('POST', apiPath('query'), query, options)).ID;
  }

  /** Replaces the whole query. */
  async update(id: string, query: PreparedQueryInput, options: WriteOptions = {}): Promise<void> {
    await this.#http.write('PUT', apiPath('query', id), query, options);
  }

  async delete(id: string, options: WriteOptions = {}): Promise<void> {
    await this.#http.write('DELETE', apiPath('query', id), undefined, options);
  }

  list(options: QueryOptions = {}): Promise<Answer<readonly PreparedQuery[]>> {
    return this.#http.list(apiPath('query'), options);
  }

  /** Undefined for one that does not exist. */
  async get(id: string, options: QueryOptions = {}): Promise<Answer<PreparedQuery | undefined>> {
    const { value, meta } = await this.#http.find<readonly PreparedQuery[]>(apiPath('query', id), options);
    return { value: value?.[0], meta };
  }

  /** By name or id. @throws ApiError 404 for one that does not exist */
  async execute(nameOrId: string, options: ExecuteOptions = {}): Promise<Answer<PreparedQueryExecution>> {
    const { limit, connect, ...query } = options;
    const parameters = { limit, connect: connect === true ? 'true' : undefined };
    const { value, meta } = await this.#http.query<Execution>(apiPath('query', nameOrId, 'execute'), { ...query, parameters });
    const { Service, DNS, Datacenter, PeerName, Failovers } = value;
    const Nodes = (value.Nodes ?? []).map((node) => ({ ...node, Checks: node.Checks ?? [] }));
    return { value: { Service, Nodes, DNS, Datacenter, PeerName: PeerName ?? '', Failovers }, meta };
  }

  /** What would be executed, a template filled in. @throws ApiError 404 for one that does not exist */
  async explain(nameOrId: string, options: QueryOptions = {}): Promise<Answer<PreparedQuery>> {
    const path = apiPath('query', nameOrId, 'explain');
    const { value, meta } = await this.#http.query<{ readonly Query: PreparedQuery }>(path, options);
    return { value: value.Query, meta };
  }
}

/** Go writes empty lists as null. */
type Execution = Omit<PreparedQueryExecution, 'Nodes' | 'PeerName'> & {
  readonly Nodes: readonly (Omit<ApiCheckServiceNode, 'Checks'> & { readonly Checks: ApiCheckServiceNode['Checks'] | null })[] | null;
  /** Since Consul 1.13. */
  readonly PeerName?: string;
};
