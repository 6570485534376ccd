import type { Readable } from 'node:stream';
import { apiPath, type HttpClient } from '../http.ts';
import { parseQueryMeta, type QueryMeta, type QueryOptions, type WriteOptions } from '../query.ts';

/** /v1/snapshot */
export class SnapshotApi {
  readonly #http: HttpClient;

  constructor(http: HttpClient) {
    this.#http = http;
  }

  /** A gzipped tar of the servers' state. `meta.index` is the index that it stands at. The caller reads the body to its end. */
  async save(options: QueryOptions = {}): Promise<{ readonly body: Readable; readonly meta: QueryMeta }> {
    const response = await this.#http.stream('GET', apiPath('snapshot'), options);
    return { body: await this.#http.expectOk(response), meta: parseQueryMeta((name) => response.header(name)) };
  }

  /** Replaces the servers' state. */
  async restore(archive: Readable | Uint8Array, options: WriteOptions = {}): Promise<void> {
    await this.#http.text('PUT', apiPath('snapshot'), { ...options, body: archive, contentType: 'application/octet-stream' });
  }
}
