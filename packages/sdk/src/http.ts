import { Buffer } from 'node:buffer';
import type { Readable } from 'node:stream';
import type { Clock, Secret } from '@lictor/protocol';
import type { Address } from './address.ts';
import { ApiError, TransportError } from './errors.ts';
import { parseJson, stringifyJson } from './json.ts';
import { AppliedIndexes } from './applied-indexes.ts';
import {
  type Answer,
  applyQueryOptions,
  applyWriteOptions,
  parseQueryMeta,
  type QueryMeta,
  type QueryOptions,
  type WriteOptions,
} from './query.ts';
import { asTransportError, type HttpRequest, type HttpResponse, type Method, type Transport } from './transport.ts';

/** Parameters of one endpoint; undefined ones are left out, lists are repeated. */
export type Parameters = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;
export type RequestBody = string | Uint8Array | Readable;

export interface HttpClientConfig {
  readonly address: Address;
  readonly transport: Transport;
  readonly clock: Clock;
  readonly token?: Secret;
  readonly datacenter?: string;
  /** Sent with every request; Lictor and Consul CE refuse both, as every feature of Consul Enterprise. */
  readonly namespace?: string;
  readonly partition?: string;
  /** `user:password` of a proxy in front of the agent. */
  readonly basicAuth?: Secret;
  /** Every read waits for the writes of this client, whichever server answers. */
  readonly readYourWrites?: boolean;
  /** Refuse an answer longer than this, bytes. */
  readonly maxResponseBytes: number;
}

export interface RequestOptions extends QueryOptions {
  readonly parameters?: Parameters;
  readonly body?: RequestBody;
  readonly contentType?: string;
}

export interface TextAnswer {
  readonly text: string;
  readonly meta: QueryMeta;
}

const MAX_ERROR_BYTES = 1024 * 1024;
/** The server adds up to a sixteenth of the wait as jitter (consul-facts 2.0); the rest is for the network and a busy server. */
const DEADLINE_SLACK_MS = 15_000;
const DEFAULT_WAIT_MS = 300_000;

/** Sends requests to one agent and reads what it answers; the endpoint groups are thin layers over it. */
export class HttpClient {
  readonly #config: HttpClientConfig;
  /** Of this client's writes; undefined: nobody asks. */
  readonly #applied: AppliedIndexes | undefined;

  constructor(config: HttpClientConfig) {
    this.#config = config;
    this.#applied = config.readYourWrites ? new AppliedIndexes() : undefined;
  }

  get clock(): Clock {
    return this.#config.clock;
  }

  /** A read whose JSON answer is taken to have the API's shape: the agent is trusted. @throws ApiError | TransportError */
  async query<T>(path: string, options: RequestOptions = {}): Promise<Answer<T>> {
    const { text, meta } = await this.text('GET', path, options);
    return { value: parseJson(text) as T, meta };
  }

  /** As `query` for a list; Go writes an empty one as null now and then. */
  async list<T>(path: string, options: RequestOptions = {}): Promise<Answer<readonly T[]>> {
    const { value, meta } = await this.query<readonly T[] | null>(path, options);
    return { value: value ?? [], meta };
  }

  /** As `query`, with undefined for a 404. */
  async find<T>(path: string, options: RequestOptions = {}, method: Method = 'GET'): Promise<Answer<T | undefined>> {
    const response = await this.stream(method, path, options);
    const text = await this.#read(response, response.status === 404 ? [404] : [200]);
    return { value: response.status === 404 ? undefined : (parseJson(text) as T), meta: metaOf(response) };
  }

  /** A write; its answer's JSON, or undefined when empty. */
  async write<T>(
    method: Method,
    path: string,
    body?: unknown,
    options: WriteOptions & Pick<RequestOptions, 'parameters'> = {},
  ): Promise<T> {
    const { text } = await this.text(method, path, { ...options, ...(body === undefined ? {} : { body: stringifyJson(body) }) });
    return (text.trim() === '' ? undefined : parseJson(text)) as T;
  }

  /** Any request answered 200 (or 204), as text. */
  async text(method: Method, path: string, options: RequestOptions = {}): Promise<TextAnswer> {
    const response = await this.stream(method, path, options);
    return { text: await this.#read(response, [200, 204]), meta: metaOf(response) };
  }

  /** The answer as it comes, whatever its status; the caller consumes or destroys the body. */
  async stream(method: Method, path: string, options: RequestOptions = {}): Promise<HttpResponse> {
    const datacenter = options.datacenter || this.#config.datacenter;
    const request = this.#request(method, path, { ...this.#applied?.optionsFor(datacenter), ...options });
    const response = await this.#config.transport.send(request);
    this.#applied?.note(response, datacenter);
    response.body.once('error', () => undefined);
    return response;
  }

  /** The body of a response that succeeded. @throws ApiError for any status not in `accepted` */
  async expectOk(response: HttpResponse): Promise<Readable> {
    if (response.status === 200) return response.body;
    throw new ApiError(response.status, (await readText(response.body, MAX_ERROR_BYTES)).trim());
  }

  async #read(response: HttpResponse, accepted: readonly number[]): Promise<string> {
    if (!accepted.includes(response.status)) await this.expectOk(response);
    try {
      return await readText(response.body, this.#config.maxResponseBytes);
    } catch (error) {
      throw asTransportError(error, { method: 'GET', path: '/', headers: {} }, this.#config.address);
    }
  }

  #request(method: Method, path: string, options: RequestOptions): HttpRequest {
    const { address, token, datacenter, namespace, partition, basicAuth } = this.#config;
    const query = new URLSearchParams();
    const headers: Record<string, string> = {};
    applyWriteOptions({ ...(datacenter === undefined ? {} : { datacenter }), ...(token === undefined ? {} : { token }) }, query, headers);
    applyQueryOptions(options, query, headers);
    applyParameters({ ns: namespace, partition, ...options.parameters }, query);
    if (options.body !== undefined) headers['content-type'] = options.contentType ?? 'application/json';
    // Node tells the length by itself, but not of a DELETE.
    if (typeof options.body === 'string' || options.body instanceof Uint8Array)
      headers['content-length'] = String(Buffer.byteLength(options.body));
    if (basicAuth !== undefined) headers.authorization = `Basic ${Buffer.from(basicAuth.reveal()).toString('base64')}`;
    query.sort();
    const signal = this.#deadline(options);
    return {
      method,
      path: `${address.pathPrefix}${path}${query.size > 0 ? `?${query.toString()}` : ''}`,
      headers,
      ...(options.body === undefined ? {} : { body: options.body }),
      ...(signal === undefined ? {} : { signal }),
    };
  }

  /** A blocking query that outlasts its wait hangs on a dead connection: end it. */
  #deadline(options: QueryOptions): AbortSignal | undefined {
    if (!options.index && !options.hash) return options.signal;
    const waitMs = options.waitMs || DEFAULT_WAIT_MS;
    const deadline = new AbortController();
    this.#config.clock.setTimer(waitMs + waitMs / 16 + DEADLINE_SLACK_MS, () => {
      deadline.abort(new TransportError('deadline', 'context deadline exceeded'));
    });
    return options.signal === undefined ? deadline.signal : AbortSignal.any([options.signal, deadline.signal]);
  }
}

/** `/v1/` and the segments, each escaped, so that a name with a slash stays one segment. */
export function apiPath(...segments: readonly string[]): string {
  return `/v1/${segments.map(escapeSegment).join('/')}`;
}

/** A key keeps its slashes. */
export function keyPath(key: string): string {
  return `/v1/kv/${key.split('/').map(escapeSegment).join('/')}`;
}

function escapeSegment(segment: string): string {
  return encodeURIComponent(segment.toWellFormed());
}

function applyParameters(parameters: Parameters, query: URLSearchParams): void {
  for (const [name, value] of Object.entries(parameters)) {
    if (value === undefined) continue;
    if (typeof value === 'object') for (const item of value) query.append(name, item);
    else query.set(name, String(value));
  }
}

function metaOf(response: HttpResponse): QueryMeta {
  return parseQueryMeta((name) => response.header(name));
}

async function readText(body: Readable, limitBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let lengthBytes = 0;
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    lengthBytes += chunk.length;
    if (lengthBytes > limitBytes) throw new TransportError('too-large', `response is longer than ${limitBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, lengthBytes).toString('utf8');
}
