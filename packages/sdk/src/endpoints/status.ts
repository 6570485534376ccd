import { apiPath, type HttpClient } from '../http.ts';
import type { QueryOptions } from '../query.ts';

/** /v1/status: needs no token. */
export class StatusApi {
  readonly #http: HttpClient;

  constructor(http: HttpClient) {
    this.#http = http;
  }

  /** `ip:port` of the leader's RPC address, or empty. */
  async leader(options: QueryOptions = {}): Promise<string> {
    return (await this.#http.query<string>(apiPath('status', 'leader'), options)).value;
  }

  async peers(options: QueryOptions = {}): Promise<readonly string[]> {
    return (await this.#http.list<string>(apiPath('status', 'peers'), options)).value;
  }
}
