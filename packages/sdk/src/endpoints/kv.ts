import { Buffer } from 'node:buffer';
import type { KvEntry } from '@lictor/protocol';
import { type HttpClient, keyPath, type Parameters } from '../http.ts';
import type { Answer, QueryOptions, WriteOptions } from '../query.ts';

export interface KvPutOptions extends WriteOptions {
  /** uint64, opaque to the store. */
  readonly flags?: number | bigint;
  /** Write only if the key's ModifyIndex is this; 0: only if it does not exist. */
  readonly cas?: number;
  /** Take the lock for this session. */
  readonly acquire?: string;
  /** Give the lock of this session back. */
  readonly release?: string;
}

export interface KvDeleteOptions extends WriteOptions {
  /** Delete every key that starts so. */
  readonly recurse?: boolean;
  readonly cas?: number;
}

type WireEntry = Omit<KvEntry, 'Value'> & { readonly Value: string | null };

/** /v1/kv */
export class KvApi {
  readonly #http: HttpClient;

  constructor(http: HttpClient) {
    this.#http = http;
  }

  async get(key: string, options: QueryOptions = {}): Promise<Answer<KvEntry | undefined>> {
    const { value, meta } = await this.#http.find<readonly WireEntry[]>(keyPath(key), options);
    const entry = value?.[0];
    return { value: entry === undefined ? undefined : decodeEntry(entry), meta };
  }

  /** Every entry whose key starts with `prefix`, sorted by key. */
  async list(prefix: string, options: QueryOptions = {}): Promise<Answer<readonly KvEntry[]>> {
    const { value, meta } = await this.#http.find<readonly WireEntry[]>(keyPath(prefix), { ...options, parameters: { recurse: '' } });
    return { value: (value ?? []).map(decodeEntry), meta };
  }

  /** Names only, cut after the first `separator` that follows the prefix. */
  async keys(prefix: string, separator = '', options: QueryOptions = {}): Promise<Answer<readonly string[]>> {
    const parameters = { keys: '', ...(separator === '' ? {} : { separator }) };
    const { value, meta } = await this.#http.find<readonly string[]>(keyPath(prefix), { ...options, parameters });
    return { value: value ?? [], meta };
  }

  /** False when a condition (`cas`, `acquire`, `release`) did not hold. */
  put(key: string, value: string | Uint8Array, options: KvPutOptions = {}): Promise<boolean> {
    const { flags, cas, acquire, release } = options;
    const parameters = { flags: flags === undefined || flags === 0 ? undefined : String(flags), cas, acquire, release };
    return this.#send('PUT', key, options, parameters, value);
  }

  delete(key: string, options: KvDeleteOptions = {}): Promise<boolean> {
    return this.#send('DELETE', key, options, { cas: options.cas, recurse: options.recurse ? '' : undefined });
  }

  async #send(
    method: 'PUT' | 'DELETE',
    key: string,
    options: WriteOptions,
    parameters: Parameters,
    body?: string | Uint8Array,
  ): Promise<boolean> {
    const { text } = await this.#http.text(method, keyPath(key), {
      ...options,
      parameters,
      ...(body === undefined ? {} : { body, contentType: 'application/octet-stream' }),
    });
    return text.includes('true');
  }
}

function decodeEntry(entry: WireEntry): KvEntry {
  return { ...entry, Value: Buffer.from(entry.Value ?? '', 'base64'), Session: entry.Session ?? '' };
}
