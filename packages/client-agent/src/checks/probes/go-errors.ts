import { joinHostPort, parseHostPort } from '@lictor/protocol';

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

function portOf(target: string): number {
  return parseHostPort(target)?.port ?? 0;
}

/** Happy eyeballs reports every attempt; the last one is what Go would show. */
function innermost(error: unknown): unknown {
  return error instanceof AggregateError && error.errors.length > 0 ? error.errors.at(-1) : error;
}

function isSystemError(error: unknown): error is SystemError {
  return error instanceof Error && 'code' in error && typeof error.code === 'string';
}
