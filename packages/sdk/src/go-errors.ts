import type { Address } from './address.ts';
import type { TransportError } from './errors.ts';

/** As much of a request as its error text names. */
interface NamedRequest {
  readonly method: string;
  readonly path: string;
}

/**
 * Words a network failure as Go's net/http does, since scripts around Consul's CLI match on it:
 * `Get "http://127.0.0.1:8500/v1/kv/x": dial tcp 127.0.0.1:8500: connect: connection refused`.
 */
export function goTransportMessage(error: unknown, kind: TransportError['kind'], request: NamedRequest, address: Address): string {
  const method = request.method.charAt(0) + request.method.slice(1).toLowerCase();
  return `${method} "${address.origin}${request.path}": ${reason(error, kind, address)}`;
}

function reason(error: unknown, kind: TransportError['kind'], address: Address): string {
  if (kind === 'cancelled') return 'context canceled';
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const dial = address.socketPath === undefined ? `dial tcp ${address.display}` : `dial unix ${address.socketPath}`;
  switch (code) {
    case 'ECONNREFUSED':
      return `${dial}: connect: connection refused`;
    case 'ENOENT':
      return `${dial}: connect: no such file or directory`;
    case 'EACCES':
      return `${dial}: connect: permission denied`;
    case 'EHOSTUNREACH':
      return `${dial}: connect: no route to host`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `dial tcp: lookup ${address.display.replace(/:\d+$/, '')}: no such host`;
    case 'ETIMEDOUT':
      return `${dial}: i/o timeout`;
    case 'ECONNRESET':
      // What Node calls an answer that ended before it began.
      return error instanceof Error && error.message === 'socket hang up' ? 'EOF' : 'read: connection reset by peer';
    default:
      return error instanceof Error ? error.message : String(error);
  }
}
