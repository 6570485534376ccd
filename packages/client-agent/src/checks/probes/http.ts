import { type IncomingMessage, request as requestHttp, STATUS_CODES } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP } from 'node:net';
import { OutputBuffer } from '../output-buffer.ts';
import type { Probe } from '../runner.ts';
import type { ProbeContext } from './context.ts';
import { timeoutMs, tlsOptions } from './context.ts';
import { type Deadline, startDeadline } from './deadline.ts';
import { dialErrorText } from './go-errors.ts';
import { refusalFor, refusingLookup } from './lookup.ts';

const USER_AGENT = 'Consul Health Check';
const ACCEPT = 'text/plain, text/*, */*';
/** Go's limit. */
const MAX_REDIRECTS = 10;
/** Read at most this much before answering: only the last `outputMaxBytes` are kept anyway. */
const MAX_BODY_BYTES = 1024 * 1024;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

interface Hop {
  readonly method: string;
  readonly url: URL;
  readonly body: string;
  readonly headers: Readonly<Record<string, readonly string[]>>;
}

/**
 * 2xx passing, 429 warning, anything else critical (consul-facts K034). Redirects are followed as Consul does unless the check
 * disables them; on another origin none of the check's own headers go along, for they may be credentials (security.md 5.1, 5.3).
 */
export function createHttpProbe(context: ProbeContext): Probe {
  const { definition } = context;
  const method = definition.Method === '' ? 'GET' : definition.Method;
  const shown = withoutPassword(definition.HTTP);
  return async (signal) => {
    const deadline = startDeadline(context.clock, timeoutMs(definition), signal);
    try {
      const first: Hop = { method, url: new URL(definition.HTTP), body: definition.Body, headers: definition.Header };
      const response = await follow(context, first, deadline);
      const body = await readBody(response, context.outputMaxBytes);
      const code = response.statusCode ?? 0;
      const line = `${code} ${response.statusMessage === '' ? (STATUS_CODES[code] ?? '') : (response.statusMessage ?? '')}`.trim();
      const output = `HTTP ${method} ${shown}: ${line} Output: ${body}`;
      if (code >= 200 && code <= 299) return { status: 'passing', output };
      return { status: code === 429 ? 'warning' : 'critical', output };
    } catch (error) {
      return { status: 'critical', output: errorText(shown, method, deadline, error) };
    } finally {
      deadline.end();
    }
  };
}

async function follow(context: ProbeContext, first: Hop, deadline: Deadline): Promise<IncomingMessage> {
  let hop = first;
  for (let redirects = 0; ; redirects++) {
    const response = await send(context, hop, deadline.signal);
    const location = response.headers.location;
    if (context.definition.DisableRedirects || location === undefined || !REDIRECTS.has(response.statusCode ?? 0)) return response;
    response.destroy();
    if (redirects >= MAX_REDIRECTS) throw new Error(`stopped after ${MAX_REDIRECTS} redirects`);
    hop = redirected(hop, new URL(location, hop.url), response.statusCode ?? 0);
  }
}

function redirected(hop: Hop, url: URL, statusCode: number): Hop {
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw new Error(`unsupported protocol scheme "${url.protocol.slice(0, -1)}"`);
  const keepsMethod = statusCode === 307 || statusCode === 308 || hop.method === 'GET' || hop.method === 'HEAD';
  return {
    method: keepsMethod ? hop.method : 'GET',
    url,
    body: keepsMethod ? hop.body : '',
    headers: url.origin === hop.url.origin ? hop.headers : {},
  };
}

function send(context: ProbeContext, hop: Hop, signal: AbortSignal): Promise<IncomingMessage> {
  const host = hop.url.hostname.replace(/^\[|\]$/g, '');
  const refusal = context.refuseLinkLocal ? refusalFor(host) : undefined;
  if (refusal !== undefined) return Promise.reject(new Error(refusal));
  const isTls = hop.url.protocol === 'https:';
  const options = {
    method: hop.method,
    headers: headersOf(hop),
    signal,
    // A connection of its own: a kept one would hide that the target stopped listening.
    agent: false as const,
    ...(context.refuseLinkLocal && isIP(host) === 0 && { lookup: refusingLookup }),
    ...(isTls && tlsOptions(context.definition, isIP(host) === 0 ? host : '')),
  };
  return new Promise((resolve, reject) => {
    const request = (isTls ? requestHttps : requestHttp)(hop.url, options, resolve);
    request.on('error', reject);
    request.end(hop.body);
  });
}

function headersOf(hop: Hop): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = { 'user-agent': USER_AGENT, accept: ACCEPT };
  for (const [name, values] of Object.entries(hop.headers)) {
    const [first, ...more] = values;
    if (first !== undefined) headers[name.toLowerCase()] = more.length === 0 ? first : [...values];
  }
  if (hop.body !== '') headers['content-length'] = String(Buffer.byteLength(hop.body));
  return headers;
}

function readBody(response: IncomingMessage, outputMaxBytes: number): Promise<string> {
  const output = new OutputBuffer(outputMaxBytes);
  return new Promise((resolve) => {
    const finish = (): void => {
      response.destroy();
      resolve(output.toString());
    };
    response.on('data', (chunk: Buffer) => {
      output.write(chunk);
      if (output.totalBytes > MAX_BODY_BYTES) finish();
    });
    // A body that breaks off still has its status line: Consul only warns.
    response.once('error', finish);
    response.once('end', finish);
  });
}

/** As Go's HTTP client shows an address in its errors: the output of a check is read by more people than its definition. */
function withoutPassword(target: string): string {
  return target.replace(/(\/\/[^/?#:]*):[^/?#]*@/, '$1:***@');
}

function errorText(target: string, method: string, deadline: Deadline, error: unknown): string {
  const verb = method.charAt(0).toUpperCase() + method.slice(1).toLowerCase();
  if (error instanceof TypeError) return `parse ${JSON.stringify(target)}: invalid URL`;
  if (deadline.isOver()) {
    return `${verb} ${JSON.stringify(target)}: context deadline exceeded (Client.Timeout exceeded while awaiting headers)`;
  }
  return `${verb} ${JSON.stringify(target)}: ${dialErrorText('tcp', new URL(target).host, error)}`;
}
