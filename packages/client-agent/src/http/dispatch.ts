import { type IncomingMessage, type ServerResponse, validateHeaderName, validateHeaderValue } from 'node:http';
import { LictorError, type Logger } from '@lictor/protocol';
import type { RuntimeConfig } from '../contracts/index.ts';
import type { ApiDeps } from './deps.ts';
import { servePage } from './pages/pages.ts';
import { JSON_TYPE, type Reply, textReply } from './reply/reply.ts';
import { sendReply } from './reply/send.ts';
import { sendStream } from './reply/send-stream.ts';
import { ApiRequest, type RequestScope } from './request/api-request.ts';
import { APPLIED_INDEX_HEADER } from './request/applied-index.ts';
import { parseQueryString } from './request/query-string.ts';
import { isPrintablePath, parseTarget, type RequestTarget } from './request/target.ts';
import { Pacer } from './pacer.ts';
import { ReplyHeadersError } from './reply-headers-error.ts';
import { RequestLog } from './request-log.ts';
import { authorize } from './routing/authorize.ts';
import { cleanPath, type Endpoint, Router } from './routing/router.ts';
import type { Route } from './routing/route.ts';
import { createWriteAccess, type WriteAccess } from './routing/write-access.ts';
import type { Waiters } from './waiters.ts';

/** What follows from one configuration; rebuilt when it changes. */
interface Settings {
  readonly config: RuntimeConfig;
  readonly baseHeaders: readonly string[];
  readonly userHeaders: readonly string[];
  readonly writeAccess: WriteAccess;
  /** The operator answers other origins (CORS). */
  readonly allowsOrigins: boolean;
}

/** From a parsed request to a written answer: routing, rules common to all endpoints (consul-facts 2.0), errors. */
export class Dispatcher {
  readonly #deps: ApiDeps;
  readonly #router: Router;
  readonly #waiters: Waiters;
  readonly #log: RequestLog;
  readonly #pacer = new Pacer();
  #settings: Settings;

  constructor(deps: ApiDeps, routes: readonly Route[], waiters: Waiters) {
    this.#deps = deps;
    this.#router = new Router(routes);
    this.#waiters = waiters;
    this.#log = new RequestLog(deps.logger);
    this.#settings = createSettings(deps.config(), deps.logger);
  }

  /** Never throws: an error here would end the process. */
  handle(message: IncomingMessage, response: ServerResponse): void {
    try {
      this.#dispatch(message, response);
    } catch (error) {
      this.#deps.logger.error('Request could not be dispatched', { error });
      response.destroy();
    }
  }

  #dispatch(message: IncomingMessage, response: ServerResponse): void {
    const settings = this.#currentSettings();
    const target = parseTarget(message.url ?? '');
    if (target === undefined) {
      response.writeHead(400, [...NOSNIFF, 'Content-Type', 'text/plain; charset=utf-8', 'Connection', 'close']).end('400 Bad Request');
      return;
    }
    if (!isPrintablePath(target.path)) {
      response.writeHead(400, [...NOSNIFF, 'Content-Length', '0']).end();
      return;
    }
    const endpoint = this.#find(target);
    if (endpoint === undefined) {
      servePage(message, response, target, settings.config, settings.userHeaders, (path) => this.#router.isPrefixWithoutSlash(path));
      return;
    }
    this.#serve(endpoint, target, message, response, settings);
  }

  #currentSettings(): Settings {
    const config = this.#deps.config();
    if (config !== this.#settings.config) this.#settings = createSettings(config, this.#deps.logger);
    return this.#settings;
  }

  /** ServeMux redirects unclean paths before it matches them, so they match nothing here. */
  #find(target: RequestTarget): Endpoint | undefined {
    const { escapedPath } = target;
    if ((escapedPath.includes('//') || escapedPath.includes('/.')) && cleanPath(escapedPath) !== escapedPath) return undefined;
    return this.#router.find(target.routePath);
  }

  #serve(endpoint: Endpoint, target: RequestTarget, message: IncomingMessage, response: ServerResponse, settings: Settings): void {
    const startedMs = this.#deps.clock.monotonic();
    const method = message.method ?? '';
    const query = parseQueryString(target.rawQuery);
    if (query === undefined) {
      response.writeHead(500, [...settings.baseHeaders, 'Content-Type', 'text/plain; charset=utf-8', 'Content-Length', '0']).end();
      return;
    }
    const rest = endpoint.path.endsWith('/') ? target.path.slice(endpoint.path.length) : '';
    const scope: RequestScope = {
      createSignal: () => this.#waiters.signalFor(response),
      defaultToken: () => this.#deps.tokens.get('default'),
    };
    const request = new ApiRequest(message, target, rest, query, settings.config, scope);
    if (query.has('token')) this.#log.tokenInQuery(request);
    void this.#answer(endpoint, request, response, settings)
      .catch((thrown: unknown) => this.#answerError(thrown, request, response, settings))
      .finally(() => {
        const tookMs = this.#deps.clock.monotonic() - startedMs;
        const labels = endpoint.labels.get(method);
        if (labels !== undefined) this.#deps.metrics.addSample('api.http', tookMs, labels);
        this.#log.finished(request, tookMs, method === 'GET' || endpoint.routes.get(request.method)?.isRead === true);
      });
  }

  async #answer(endpoint: Endpoint, request: ApiRequest, response: ServerResponse, settings: Settings): Promise<void> {
    const blocked = settings.config.http.blockEndpoints.some((prefix) => request.target.path.startsWith(prefix));
    if (blocked) throw new LictorError('permission-denied', 'Endpoint is blocked by agent configuration');
    const route = endpoint.routes.get(request.method);
    if (route === undefined || endpoint.methodsOf?.(request.rest).includes(route.method) === false) {
      await sendReply(response, settings.baseHeaders, request, withoutRoute(endpoint, request));
      return;
    }
    if (request.method !== 'GET' && !settings.writeAccess.allows(request.message.socket.remoteAddress)) {
      throw new LictorError('permission-denied', 'Access is restricted');
    }
    if (request.method !== 'GET' && isForgedByPage(request, settings))
      throw new LictorError('permission-denied', 'Cross-site writes are refused');
    if (route.acl.by === 'agent' && settings.config.aclEnabled) await authorize(route, request, this.#deps);
    const reply = withAppliedIndex(await route.handle(request, this.#deps), request);
    if (request.hasWaited) await this.#pacer.turn();
    if (response.destroyed) return;
    if (this.#waiters.isStopping) response.shouldKeepAlive = false;
    if (reply.stream !== undefined) await sendStream(response, settings.baseHeaders, request, reply, reply.stream);
    else await sendReply(response, settings.baseHeaders, request, reply);
  }

  async #answerError(thrown: unknown, request: ApiRequest, response: ServerResponse, settings: Settings): Promise<void> {
    const error = LictorError.from(thrown);
    this.#log.failed(request, error);
    if (response.headersSent || response.destroyed) {
      response.destroy();
      return;
    }
    const status = error.code === 'cancelled' ? 500 : error.httpStatus;
    if (this.#waiters.isStopping) response.shouldKeepAlive = false;
    const reply = textReply(status, error.message, errorHeaders(error));
    if (request.message.complete || error.code !== 'too-large') await sendReply(response, settings.baseHeaders, request, reply);
    else refuseUpload(request.message, response, settings.baseHeaders, reply);
  }
}

function errorHeaders(error: LictorError): readonly string[] {
  return error instanceof ReplyHeadersError ? error.headers : [];
}

/**
 * A page of another site can make a browser send a simple POST here without asking (CSRF). Only browsers send this header; operators who
 * want other sites to write say so with their own CORS headers.
 */
function isForgedByPage(request: ApiRequest, settings: Settings): boolean {
  return request.header('sec-fetch-site') === 'cross-site' && !settings.allowsOrigins;
}

function withAppliedIndex(reply: Reply, { appliedIndex }: ApiRequest): Reply {
  return appliedIndex === 0 ? reply : { ...reply, headers: [...reply.headers, APPLIED_INDEX_HEADER, String(appliedIndex)] };
}

function withoutRoute(endpoint: Endpoint, request: ApiRequest): Reply {
  const own = endpoint.methodsOf?.(request.rest).join(',');
  if (request.method === 'OPTIONS') {
    return { status: 200, contentType: JSON_TYPE, headers: ['Allow', own === undefined ? endpoint.allow : `OPTIONS,${own}`], body: '' };
  }
  return textReply(405, `method ${request.method} not allowed`, ['Allow', own ?? endpoint.allow]);
}

const DRAIN_MAX_BYTES = 8 * 1024 * 1024;

/**
 * Answers before the upload is over, then reads on for a while: closing at once would reset the connection and the client would lose the
 * answer. The connection is not used again.
 */
function refuseUpload(message: IncomingMessage, response: ServerResponse, base: readonly string[], reply: Reply): void {
  const body = Buffer.from(String(reply.body));
  const head = ['Content-Type', reply.contentType, 'Content-Length', String(body.length), 'Connection', 'close'];
  response.writeHead(reply.status, [...base, ...reply.headers, ...head]);
  response.write(body);
  let drainedBytes = 0;
  message.on('data', (chunk: Buffer) => {
    drainedBytes += chunk.length;
    if (drainedBytes > DRAIN_MAX_BYTES) response.end();
  });
  message.on('end', () => response.end());
  message.on('error', () => response.destroy());
  message.resume();
}

const NOSNIFF = ['X-Content-Type-Options', 'nosniff'];
/** Headers that the API sets itself: an operator's own must not appear beside them. */
const RESERVED = new Set([
  'content-type',
  'content-length',
  'content-encoding',
  'transfer-encoding',
  'connection',
  'x-content-type-options',
  'vary',
]);

function createSettings(config: RuntimeConfig, logger: Logger): Settings {
  const userHeaders = readUserHeaders(config, logger);
  const policy = ['X-Consul-Default-Acl-Policy', config.aclDefaultPolicy];
  return {
    config,
    userHeaders: [...userHeaders, ...NOSNIFF],
    baseHeaders: [...userHeaders, 'Vary', 'Accept-Encoding', ...NOSNIFF, ...policy],
    writeAccess: createWriteAccess(config.http.allowWriteFrom),
    allowsOrigins: userHeaders.some((text) => text.toLowerCase() === 'access-control-allow-origin'),
  };
}

/** `http_config.response_headers`, as far as they can be sent. */
function readUserHeaders(config: RuntimeConfig, logger: Logger): string[] {
  const headers: string[] = [];
  for (const [name, value] of Object.entries(config.http.responseHeaders)) {
    if (RESERVED.has(name.toLowerCase())) continue;
    try {
      validateHeaderName(name);
      validateHeaderValue(name, value);
      headers.push(name, value);
    } catch {
      logger.error('response header cannot be sent', { name });
    }
  }
  return headers;
}
