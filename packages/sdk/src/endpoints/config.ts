import type { ConfigEntry } from '@lictor/protocol';
import { apiPath, type HttpClient } from '../http.ts';
import type { Answer, QueryOptions, WriteOptions } from '../query.ts';

export type ConfigEntryInput = Readonly<Record<string, unknown>> & { readonly Kind: string; readonly Name?: string };

/** /v1/config */
export class ConfigApi {
  readonly #http: HttpClient;

  constructor(http: HttpClient) {
    this.#http = http;
  }

  get(kind: string, name: string, options: QueryOptions = {}): Promise<Answer<ConfigEntry>> {
    return this.#http.query(apiPath('config', kind, name), options);
  }

  list(kind: string, options: QueryOptions = {}): Promise<Answer<readonly ConfigEntry[]>> {
    return this.#http.list(apiPath('config', kind), options);
  }

  /** False when `cas` (the entry's ModifyIndex) did not hold. */
  set(entry: ConfigEntryInput, options: WriteOptions & { readonly cas?: number } = {}): Promise<boolean> {
    return this.#http.write('PUT', apiPath('config'), entry, { ...options, parameters: { cas: options.cas } });
  }

  async delete(kind: string, name: string, options: WriteOptions & { readonly cas?: number } = {}): Promise<boolean> {
    const { text } = await this.#http.text('DELETE', apiPath('config', kind, name), { ...options, parameters: { cas: options.cas } });
    return options.cas === undefined || text.includes('true');
  }
}
