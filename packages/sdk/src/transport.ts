import { type AgentOptions, type ClientRequest, Agent as HttpAgent, type IncomingMessage, request as httpRequest } from 'node:http';
import type { Socket } from 'node:net';
import { pipeline, Readable } from 'node:stream';
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

/** As Go's dialer. */
const CONNECT_TIMEOUT_MS = 30_000;
const METHODS: ReadonlySet<string> = new Set<Method>(['GET', 'PUT', 'POST', 'DELETE']);

/**
 * Kept-alive connections of one TLS identity to one address: connections are never shared between identities. Redirects
 * are answers, never followed, so a token cannot be carried elsewhere. No timeout but for connecting: blocking queries last
 * minutes, and callers bring a signal.
 */
export function createTransport(address: Address, tls: TlsConnectOptions): Transport {
  const { agent, open } = connector(address, tls);
  return {
    send: async (request) => {
      validate(request);
      try {
        const message = await exchange(request, open);
        return { status: message.statusCode ?? 0, header: (name) => firstValue(message, name), body: message };
      } catch (error) {
        throw asTransportError(error, request, address);
      }
    },
    close: () => {
      agent.destroy();
      return Promise.resolve();
    },
  };
}

type Open = (request: HttpRequest) => ClientRequest;

interface Connector {
  readonly agent: HttpAgent;
  readonly open: Open;
}

function connector({ origin, socketPath }: Address, tls: TlsConnectOptions): Connector {
  const { protocol, hostname, port } = new URL(origin);
  const target = socketPath === undefined ? { host: hostname.replace(/^\[|\]$/g, ''), port } : { socketPath };
  const options: AgentOptions = { keepAlive: true };
  if (protocol !== 'https:') {
    const agent = new HttpAgent(options);
    return { agent, open: ({ method, path, headers, signal }) => httpRequest({ agent, ...target, method, path, headers, signal }) };
  }
  // Loaded on demand: TLS takes longer to load than a short command to run.
  const https = process.getBuiltinModule('node:https');
  const agent = new https.Agent({ ...options, ...tls });
  return { agent, open: ({ method, path, headers, signal }) => https.request({ agent, ...target, ...tls, method, path, headers, signal }) };
}

/** A read that met a connection which the agent had just closed for idleness is sent again, on the next one. */
async function exchange(request: HttpRequest, open: Open): Promise<IncomingMessage> {
  for (;;) {
    const sent = open(request);
    try {
      return await response(sent, request.body);
    } catch (error) {
      const isStale = sent.reusedSocket && isReset(error) && request.method === 'GET' && !request.signal?.aborted;
      if (!isStale) throw error;
    }
  }
}

function response(sent: ClientRequest, body: HttpRequest['body']): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    sent.on('error', reject);
    sent.once('response', resolve);
    sent.once('upgrade', (_message, socket) => {
      socket.destroy();
      reject(new Error('the answer switches protocols'));
    });
    // In every case, whatever else was told before.
    sent.once('close', () => reject(new Error('closed without an answer')));
    sent.once('socket', (socket) => limitConnecting(sent, socket));
    if (body instanceof Readable) pipeline(body, sent, (error) => error && reject(error));
    else sent.end(body);
  });
}

function limitConnecting(sent: ClientRequest, socket: Socket): void {
  if (!socket.connecting) return;
  socket.setTimeout(CONNECT_TIMEOUT_MS);
  const onTimeout = (): void => void sent.destroy(Object.assign(new Error('connect timed out'), { code: 'ETIMEDOUT' }));
  socket.once('timeout', onTimeout);
  socket.once('encrypted' in socket ? 'secureConnect' : 'connect', () => {
    socket.off('timeout', onTimeout);
    socket.setTimeout(0);
  });
}

function firstValue({ rawHeaders }: IncomingMessage, name: string): string {
  for (let position = 0; position < rawHeaders.length; position += 2) {
    if (rawHeaders[position]?.toLowerCase() === name) return rawHeaders[position + 1] ?? '';
  }
  return '';
}

function validate(request: HttpRequest): void {
  if (!METHODS.has(request.method)) throw new ConfigurationError(`invalid method ${JSON.stringify(request.method)}`);
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

const CONNECT_FAILURES = new Set(['ECONNREFUSED', 'ENOENT', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ETIMEDOUT', 'EACCES']);

function isConnectFailure(error: unknown): boolean {
  return CONNECT_FAILURES.has(codeOf(error));
}

function isReset(error: unknown): boolean {
  return codeOf(error) === 'ECONNRESET' || codeOf(error) === 'EPIPE';
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
