import type { IncomingMessage } from 'node:http';
import { NO_TOKEN, Secret } from '@lictor/protocol';
import type { RuntimeConfig } from '../../contracts/index.ts';
import type { QueryString } from './query-string.ts';
import type { RequestTarget } from './target.ts';

/** What a request can ask its surroundings for, and mostly does not. */
export interface RequestScope {
  createSignal(): AbortSignal;
  /** The agent's own token, for callers that send none. */
  defaultToken(): Secret;
}

/** One matched API request. */
export class ApiRequest {
  readonly message: IncomingMessage;
  readonly method: string;
  readonly target: RequestTarget;
  /** What follows a route's prefix, decoded. */
  readonly rest: string;
  readonly query: QueryString;
  /** At which log index its writes were applied; 0 while there are none. */
  appliedIndex = 0;
  readonly #config: RuntimeConfig;
  readonly #scope: RequestScope;
  #token: Secret | undefined;
  #signal: AbortSignal | undefined;

  constructor(
    message: IncomingMessage,
    target: RequestTarget,
    rest: string,
    query: QueryString,
    config: RuntimeConfig,
    scope: RequestScope,
  ) {
    this.message = message;
    this.method = message.method ?? '';
    this.target = target;
    this.rest = rest;
    this.query = query;
    this.#config = config;
    this.#scope = scope;
  }

  /** The configuration in force when the request came in. */
  get config(): RuntimeConfig {
    return this.#config;
  }

  /** Node joins repeated headers with `, `. Names in lower case. */
  header(name: string): string {
    const value = this.message.headers[name];
    return typeof value === 'string' ? value : '';
  }

  /** -dev always indents (consul-facts 2.0). */
  get indent(): boolean {
    return this.#config.devMode || this.query.has('pretty');
  }

  /** Aborts when the client goes away or the agent stops. Made on first use: most requests never wait. */
  get signal(): AbortSignal {
    this.#signal ??= this.#scope.createSignal();
    return this.#signal;
  }

  /** True for a request that may have blocked. */
  get hasWaited(): boolean {
    return this.#signal !== undefined;
  }

  /** `?token=`, then X-Consul-Token, then a bearer token; none falls back to the agent's default token (Consul's order). */
  get token(): Secret {
    this.#token ??= this.#findToken();
    return this.#token;
  }

  /** True when the caller itself sent one. */
  get sentToken(): boolean {
    return !readToken(this).isEmpty;
  }

  get datacenter(): string {
    return this.query.get('datacenter') || this.query.get('dc') || this.#config.datacenter;
  }

  #findToken(): Secret {
    const sent = readToken(this);
    return sent.isEmpty ? this.#scope.defaultToken() : sent;
  }
}

function readToken(request: ApiRequest): Secret {
  const value = request.query.get('token') || request.header('x-consul-token') || bearerToken(request.header('authorization'));
  return value === '' ? NO_TOKEN : new Secret(value);
}

function bearerToken(header: string): string {
  const match = /^bearer +([^ ]*)/i.exec(header);
  return match?.[1] ?? '';
}
