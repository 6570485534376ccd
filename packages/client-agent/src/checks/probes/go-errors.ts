import { isIPv6 } from 'node:net';

/** Go's words for connection errors: operators and scripts know them from Consul's check output. */
const SYSCALL_TEXT: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connect: connection refused',
  ECONNRESET: 'connect: connection reset by peer',
  EHOSTUNREACH: 'connect: no route to host',
  ENETUNREACH: 'connect: network is unreachable',
  EACCES: 'connect: permission denied',
  EADDRNOTAVAIL: 'connect: cannot assign requested address',
  ETIMEDOUT: 'i/o timeout',
};

interface SystemError extends Error {
  readonly code: string;
  readonly address?: string;
  readonly port?: number;
  readonly hostname?: string;
}

/** `dial tcp 127.0.0.1:21000: connect: connection refused`; `target` stands in when the error has no address. */
export function dialErrorText(network: 'tcp' | 'udp', target: string, error: unknown): string {
  const cause = innermost(error);
  if (!isSystemError(cause)) return cause instanceof Error ? cause.message : String(cause);
  if (cause.code === 'ENOTFOUND' || cause.code === 'EAI_AGAIN') return `dial ${network}: lookup ${cause.hostname ?? target}: no such host`;
  const address = cause.address === undefined ? target : joinHostPort(cause.address, cause.port ?? portOf(target));
  const text = SYSCALL_TEXT[cause.code];
  return text === undefined ? `dial ${network} ${address}: ${cause.message}` : `dial ${network} ${address}: ${text}`;
}

export function timeoutText(network: 'tcp' | 'udp', target: string): string {
  return `dial ${network} ${target}: i/o timeout`;
}

/** Splits `host:port` and `[v6]:port`. Undefined when it is neither. */
export function splitHostPort(target: string): { readonly host: string; readonly port: number } | undefined {
  const match = /^(?:\[([^\]]+)\]|([^:]*)):(\d{1,5})$/.exec(target);
  if (match === null) return undefined;
  const port = Number(match[3]);
  return port > 65_535 ? undefined : { host: match[1] ?? match[2] ?? '', port };
}

function joinHostPort(host: string, port: number): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}

function portOf(target: string): number {
  return splitHostPort(target)?.port ?? 0;
}

/** Happy eyeballs reports every attempt; the last one is what Go would show. */
function innermost(error: unknown): unknown {
  return error instanceof AggregateError && error.errors.length > 0 ? error.errors.at(-1) : error;
}

function isSystemError(error: unknown): error is SystemError {
  return error instanceof Error && 'code' in error && typeof error.code === 'string';
}
