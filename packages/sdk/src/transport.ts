import type { Readable } from 'node:stream';
import { Agent } from 'undici';
import type { Address } from './address.ts';
import { ConfigurationError, TransportError } from './errors.ts';
import { goTransportMessage } from './go-errors.ts';
import type { TlsConnectOptions } from './tls.ts';

export type Method = 'GET' | 'PUT' | 'POST' | 'DELETE';

export interface HttpRequest {
  readonly method: Method;
  /** Escaped, with the query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | Readable;
  readonly signal?: AbortSignal;
}

export interface HttpResponse {
  readonly status: number;
  /** By lower-case name; the first value of a header sent more than once; empty when absent. */
  readonly header: (name: string) => string;
  readonly body: Readable;
}

/** Carries requests to one agent. */
export interface Transport {
  send(request: HttpRequest): Promise<HttpResponse>;
  close(): Promise<void>;
}

/** Printable ASCII only: no request can be split in two by its path (CVE-2018-12116 class). */
const SAFE_PATH = /^\/[\x21-\x7e]*$/;
const HEADER_NAME = /^[a-z0-9-]{1,64}$/;
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/**
 * Kept-alive connections of one TLS identity to one address: connections are never shared between identities. Redirects
 * are answers, never followed, so a token cannot be carried elsewhere. No timeout of its own: blocking queries last
 * minutes, and callers bring a signal.
 */
export function createTransport(address: Address, tls: TlsConnectOptions): Transport {
  const agent = new Agent({
    headersTimeout: 0,
    bodyTimeout: 0,
    connections: null,
    // One blocking query holds one connection: nothing to multiplex, and no second protocol to guard.
    allowH2: false,
    connect: { ...tls, ...(address.socketPath === undefined ? {} : { socketPath: address.socketPath }) },
  });
  return {
    send: async (request) => {
      validate(request);
      try {
        const response = await agent.request({ origin: address.origin, ...request, body: request.body ?? null });
        const header = (name: string): string => {
          const value = response.headers[name];
          return (Array.isArray(value) ? value[0] : value) ?? '';
        };
        return { status: response.statusCode, header, body: response.body };
      } catch (error) {
        throw asTransportError(error, request, address);
      }
    },
    close: () => agent.destroy(),
  };
}

function validate(request: HttpRequest): void {
  if (!SAFE_PATH.test(request.path)) throw new ConfigurationError(`invalid request path ${JSON.stringify(request.path)}`);
  for (const [name, value] of Object.entries(request.headers)) {
    if (!HEADER_NAME.test(name) || !HEADER_VALUE.test(value)) throw new ConfigurationError(`invalid value for header ${name}`);
  }
}

/** Any failure of the network or of the caller's signal as one typed error. */
export function asTransportError(error: unknown, request: HttpRequest, address: Address): TransportError {
  if (error instanceof TransportError) return error;
  const reason: unknown = request.signal?.aborted ? request.signal.reason : undefined;
  if (reason instanceof TransportError) return reason;
  const kind = reason === undefined ? (isConnectFailure(error) ? 'connect' : 'broken') : 'cancelled';
  return new TransportError(kind, goTransportMessage(error, kind, request, address), error);
}

function isConnectFailure(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : '';
  return code === 'ECONNREFUSED' || code === 'ENOENT' || code === 'ENOTFOUND' || code === 'UND_ERR_CONNECT_TIMEOUT' || code === 'EACCES';
}
