import type { LictorError, Logger, LogLevel } from '@lictor/protocol';
import type { ApiRequest } from './request/api-request.ts';

/** Loggers that can say beforehand whether a line would be written; formatting a line per request costs more than answering it. */
interface MaybeLevelled {
  isEnabled?(level: LogLevel): boolean;
}

const ACL_TOKEN_PATH = /^(\/v1\/acl\/(?:create|update|destroy|info|clone|list)\/)[^?]+/;

/** One line per request. Reads are the bulk of the traffic: they are told at trace level, writes and failures as Consul does. */
export class RequestLog {
  readonly #logger: Logger & MaybeLevelled;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  finished(request: ApiRequest, tookMs: number, isRead: boolean): void {
    const level = isRead ? 'trace' : 'debug';
    if (this.#logger.isEnabled?.(level) === false) return;
    this.#logger[level]('Request finished', { ...describe(request), latency: `${tookMs.toFixed(3)}ms` });
  }

  tokenInQuery(request: ApiRequest): void {
    this.#logger.warn('This request used the token query parameter which is deprecated and will be removed in a future Consul version', {
      logUrl: loggableUrl(request),
    });
  }

  failed(request: ApiRequest, error: LictorError): void {
    if (error.code === 'cancelled') {
      this.#logger.debug('Request cancelled', describe(request));
      return;
    }
    this.#logger.error('Request error', { ...describe(request), error: error.message });
  }
}

function describe(request: ApiRequest): Record<string, unknown> {
  const from = `${request.message.socket.remoteAddress ?? '@'}:${request.message.socket.remotePort ?? 0}`;
  return { method: request.method, url: loggableUrl(request), from };
}

/** Tokens in the query or in old ACL paths are never logged. */
function loggableUrl(request: ApiRequest): string {
  const path = request.target.escapedPath.replace(ACL_TOKEN_PATH, '$1<hidden>');
  if (request.target.rawQuery === '') return path;
  const query = request.target.rawQuery
    .split('&')
    .map((pair) => (/^(token|%74oken)(=|$)/i.test(decodeName(pair)) ? 'token=<hidden>' : pair))
    .join('&');
  return `${path}?${query}`;
}

function decodeName(pair: string): string {
  const equals = pair.indexOf('=');
  const name = equals < 0 ? pair : pair.slice(0, equals);
  try {
    return `${decodeURIComponent(name)}=`;
  } catch {
    return pair;
  }
}
