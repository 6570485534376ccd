import type { ServiceCheckReference } from '@lictor/protocol';
import { apiPath, type HttpClient } from '../http.ts';
import type { Answer, QueryOptions, WriteOptions } from '../query.ts';

/** A session as the API shows it. */
export interface ApiSession {
  readonly ID: string;
  readonly Name: string;
  readonly Node: string;
  /** ns. */
  readonly LockDelay: number;
  readonly Behavior: 'release' | 'delete';
  /** A Go duration, or empty. */
  readonly TTL: string;
  readonly NodeChecks: readonly string[] | null;
  readonly ServiceChecks: readonly ServiceCheckReference[] | null;
  readonly CreateIndex: number;
  readonly ModifyIndex: number;
}

export interface SessionDefinition {
  readonly Name?: string;
  readonly Node?: string;
  /** A Go duration. */
  readonly LockDelay?: string;
  readonly Behavior?: 'release' | 'delete';
  readonly TTL?: string;
  readonly NodeChecks?: readonly string[];
  readonly ServiceChecks?: readonly ServiceCheckReference[];
}

/** /v1/session */
export class SessionApi {
  readonly #http: HttpClient;

  constructor(http: HttpClient) {
    this.#http = http;
  }

  /** Its id. */
  async create(session: SessionDefinition = {}, options: WriteOptions = {}): Promise<string> {
    return (await this.#http.write<{ readonly ID: string }>('PUT', apiPath('session', 'create'), session, options)).ID;
  }

  destroy(id: string, options: WriteOptions = {}): Promise<boolean> {
    return this.#http.write('PUT', apiPath('session', 'destroy', id), undefined, options);
  }

  /** Undefined when the session is gone. */
  async renew(id: string, options: WriteOptions = {}): Promise<ApiSession | undefined> {
    const { value } = await this.#http.find<readonly ApiSession[]>(apiPath('session', 'renew', id), options, 'PUT');
    return value?.[0];
  }

  async info(id: string, options: QueryOptions = {}): Promise<Answer<ApiSession | undefined>> {
    const { value, meta } = await this.#http.list<ApiSession>(apiPath('session', 'info', id), options);
    return { value: value[0], meta };
  }

  list(options: QueryOptions = {}): Promise<Answer<readonly ApiSession[]>> {
    return this.#http.list(apiPath('session', 'list'), options);
  }

  node(name: string, options: QueryOptions = {}): Promise<Answer<readonly ApiSession[]>> {
    return this.#http.list(apiPath('session', 'node', name), options);
  }
}
