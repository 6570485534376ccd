import type { CheckServiceNode } from '@lictor/protocol';
import { apiPath, type HttpClient } from '../http.ts';
import type { Answer, QueryOptions } from '../query.ts';
import type { ApiHealthCheck } from './agent-types.ts';

export interface HealthServiceOptions extends QueryOptions {
  /** Instances that carry all of these. */
  readonly tags?: readonly string[];
  readonly passingOnly?: boolean;
}

export type ApiCheckServiceNode = Omit<CheckServiceNode, 'Checks'> & { readonly Checks: readonly ApiHealthCheck[] };

/** /v1/health */
export class HealthApi {
  readonly #http: HttpClient;

  constructor(http: HttpClient) {
    this.#http = http;
  }

  service(name: string, options: HealthServiceOptions = {}): Promise<Answer<readonly ApiCheckServiceNode[]>> {
    return this.#instances('service', name, options);
  }

  /** The mesh-capable instances: sidecars and native ones. */
  connect(name: string, options: HealthServiceOptions = {}): Promise<Answer<readonly ApiCheckServiceNode[]>> {
    return this.#instances('connect', name, options);
  }

  checks(service: string, options: QueryOptions = {}): Promise<Answer<readonly ApiHealthCheck[]>> {
    return this.#http.list(apiPath('health', 'checks', service), options);
  }

  node(name: string, options: QueryOptions = {}): Promise<Answer<readonly ApiHealthCheck[]>> {
    return this.#http.list(apiPath('health', 'node', name), options);
  }

  /** `any`, `passing`, `warning` or `critical`. */
  state(state: string, options: QueryOptions = {}): Promise<Answer<readonly ApiHealthCheck[]>> {
    return this.#http.list(apiPath('health', 'state', state), options);
  }

  #instances(kind: string, name: string, options: HealthServiceOptions): Promise<Answer<readonly ApiCheckServiceNode[]>> {
    const parameters = { passing: options.passingOnly ? '1' : undefined, tag: options.tags ?? [] };
    return this.#http.list(apiPath('health', kind, name), { ...options, parameters });
  }
}
