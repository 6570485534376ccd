import type { Readable } from 'node:stream';
import type { CaRoots, ConnectAuthorizeRequest, IssuedCert } from '@lictor/protocol';
import { apiPath, type HttpClient, type Parameters } from '../http.ts';
import type { Answer, QueryOptions, WriteOptions } from '../query.ts';
import type {
  AgentMember,
  AgentSelf,
  AgentService,
  ApiHealthCheck,
  Authorization,
  CheckRegistration,
  ServiceRegistration,
} from './agent-types.ts';

export interface MembersOptions extends QueryOptions {
  readonly wan?: boolean;
  readonly segment?: string;
}

/** /v1/agent */
export class AgentApi {
  readonly #http: HttpClient;

  constructor(http: HttpClient) {
    this.#http = http;
  }

  async self(options: QueryOptions = {}): Promise<AgentSelf> {
    return (await this.#http.query<AgentSelf>(apiPath('agent', 'self'), options)).value;
  }

  async members(options: MembersOptions = {}): Promise<readonly AgentMember[]> {
    const parameters = { wan: options.wan ? '1' : undefined, segment: options.segment };
    return (await this.#http.list<AgentMember>(apiPath('agent', 'members'), { ...options, parameters })).value;
  }

  /** By service id. */
  async services(options: QueryOptions = {}): Promise<Readonly<Record<string, AgentService>>> {
    return (await this.#http.query<Readonly<Record<string, AgentService>>>(apiPath('agent', 'services'), options)).value;
  }

  /** Blocks by content hash, not by index: see `watchHash`. */
  service(id: string, options: QueryOptions = {}): Promise<Answer<AgentService>> {
    return this.#http.query(apiPath('agent', 'service', id), options);
  }

  /** By check id. */
  async checks(options: QueryOptions = {}): Promise<Readonly<Record<string, ApiHealthCheck>>> {
    return (await this.#http.query<Readonly<Record<string, ApiHealthCheck>>>(apiPath('agent', 'checks'), options)).value;
  }

  async registerService(
    service: ServiceRegistration,
    options: WriteOptions & { readonly replaceExistingChecks?: boolean } = {},
  ): Promise<void> {
    const parameters = { 'replace-existing-checks': options.replaceExistingChecks ? 'true' : undefined };
    await this.#put(['service', 'register'], options, parameters, service);
  }

  async deregisterService(id: string, options: WriteOptions = {}): Promise<void> {
    await this.#put(['service', 'deregister', id], options);
  }

  async registerCheck(check: CheckRegistration, options: WriteOptions = {}): Promise<void> {
    await this.#put(['check', 'register'], options, {}, check);
  }

  async deregisterCheck(id: string, options: WriteOptions = {}): Promise<void> {
    await this.#put(['check', 'deregister', id], options);
  }

  /** Reports a TTL check's state. */
  async updateCheck(id: string, status: 'passing' | 'warning' | 'critical', output = '', options: WriteOptions = {}): Promise<void> {
    await this.#put(['check', 'update', id], options, {}, { Status: status, Output: output });
  }

  async maintainNode(enable: boolean, reason = '', options: WriteOptions = {}): Promise<void> {
    await this.#put(['maintenance'], options, { enable, reason: reason || undefined });
  }

  async maintainService(id: string, enable: boolean, reason = '', options: WriteOptions = {}): Promise<void> {
    await this.#put(['service', 'maintenance', id], options, { enable, reason: reason || undefined });
  }

  async join(address: string, wan = false, options: WriteOptions = {}): Promise<void> {
    await this.#put(['join', address], options, { wan: wan ? '1' : undefined });
  }

  async forceLeave(node: string, options: WriteOptions & { readonly prune?: boolean; readonly wan?: boolean } = {}): Promise<void> {
    await this.#put(['force-leave', node], options, { prune: options.prune ? '1' : undefined, wan: options.wan ? '1' : undefined });
  }

  async leave(options: WriteOptions = {}): Promise<void> {
    await this.#put(['leave'], options);
  }

  async reload(options: WriteOptions = {}): Promise<void> {
    await this.#put(['reload'], options);
  }

  /** Log lines as the agent writes them, until the caller's signal. */
  async monitor(options: QueryOptions & { readonly logLevel?: string; readonly logJson?: boolean } = {}): Promise<Readable> {
    const parameters = { loglevel: options.logLevel, logjson: options.logJson ? 'true' : undefined };
    return this.#http.expectOk(await this.#http.stream('GET', apiPath('agent', 'monitor'), { ...options, parameters }));
  }

  /** From the agent's cache; blocks with `index`. */
  connectRoots(options: QueryOptions = {}): Promise<Answer<CaRoots>> {
    return this.#http.query(apiPath('agent', 'connect', 'ca', 'roots'), options);
  }

  /** The service's certificate with its key; blocks with `index`. */
  connectLeaf(service: string, options: QueryOptions = {}): Promise<Answer<IssuedCert>> {
    return this.#http.query(apiPath('agent', 'connect', 'ca', 'leaf', service), options);
  }

  authorize(request: ConnectAuthorizeRequest, options: WriteOptions = {}): Promise<Authorization> {
    return this.#http.write('POST', apiPath('agent', 'connect', 'authorize'), request, options);
  }

  async #put(segments: readonly string[], options: WriteOptions, parameters: Parameters = {}, body?: unknown): Promise<void> {
    await this.#http.text('PUT', apiPath('agent', ...segments), {
      ...options,
      parameters,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }
}
