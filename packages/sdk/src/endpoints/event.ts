import { Buffer } from 'node:buffer';
import { apiPath, type HttpClient } from '../http.ts';
import type { Answer, QueryOptions, WriteOptions } from '../query.ts';

export interface UserEvent {
  readonly ID: string;
  readonly Name: string;
  /** Base64, or null. */
  readonly Payload: string | null;
  readonly NodeFilter: string;
  readonly ServiceFilter: string;
  readonly TagFilter: string;
  readonly Version: number;
  readonly LTime: number;
}

export interface FireOptions extends WriteOptions {
  readonly payload?: string | Uint8Array;
  /** Regular expressions. */
  readonly node?: string;
  readonly service?: string;
  readonly tag?: string;
}

/** /v1/event */
export class EventApi {
  readonly #http: HttpClient;

  constructor(http: HttpClient) {
    this.#http = http;
  }

  /** The event's id. */
  async fire(name: string, options: FireOptions = {}): Promise<string> {
    const parameters = { node: options.node || undefined, service: options.service || undefined, tag: options.tag || undefined };
    const { text } = await this.#http.text('PUT', apiPath('event', 'fire', name), {
      ...options,
      parameters,
      ...(options.payload === undefined ? {} : { body: options.payload, contentType: 'application/octet-stream' }),
    });
    return (JSON.parse(text) as { readonly ID: string }).ID;
  }

  /** The last 256 that this agent saw, oldest first. */
  list(name = '', options: QueryOptions = {}): Promise<Answer<readonly UserEvent[]>> {
    return this.#http.list(apiPath('event', 'list'), { ...options, parameters: { name: name || undefined } });
  }
}

/** The index that a watch of events passes on: the two halves of the event's UUID xored (consul-facts, event/list). */
export function eventIndex(id: string): bigint {
  const bytes = Buffer.from(id.replaceAll('-', ''), 'hex');
  return bytes.readBigUInt64BE(0) ^ bytes.readBigUInt64BE(8);
}
