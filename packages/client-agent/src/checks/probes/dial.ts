import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { parseHostPort } from '@lictor/protocol';
import type { ProbeContext } from './context.ts';
import { tlsOptions } from './context.ts';
import { dialErrorText, timeoutText } from './go-errors.ts';
import { refusalFor, refusingLookup } from './lookup.ts';
import { startDeadline } from './deadline.ts';

/** A connection that could not be made, in Go's words. */
export class DialError extends Error {
  override readonly name = 'DialError';
}

export interface DialOptions {
  readonly useTls: boolean;
  readonly alpnProtocols?: readonly string[];
  readonly timeoutMs: number;
}

/** Connects to `target` (`host:port`). The caller destroys the socket, which has an error handler. @throws DialError */
export async function dial(context: ProbeContext, target: string, options: DialOptions, signal: AbortSignal): Promise<Socket> {
  const address = parseHostPort(target);
  if (address === undefined) throw new DialError(`dial tcp: address ${target}: missing port in address`);
  const host = address.host === '' ? '127.0.0.1' : address.host;
  const refusal = context.refuseLinkLocal ? refusalFor(host) : undefined;
  if (refusal !== undefined) throw new DialError(refusal);
  const deadline = startDeadline(context.clock, options.timeoutMs, signal);
  const lookup = context.refuseLinkLocal && isIP(host) === 0 ? { lookup: refusingLookup } : {};
  const base = { host, port: address.port, ...lookup };
  const socket = options.useTls
    ? connectTls({
        ...base,
        ...tlsOptions(context.definition, isIP(host) === 0 ? host : ''),
        ...(options.alpnProtocols && { ALPNProtocols: [...options.alpnProtocols] }),
      })
    : connect(base);
  try {
    await connected(socket, options.useTls ? 'secureConnect' : 'connect', deadline.signal);
    return socket;
  } catch (error) {
    socket.destroy();
    throw new DialError(deadline.isOver() ? timeoutText('tcp', target) : dialErrorText('tcp', target, error));
  } finally {
    deadline.end();
  }
}

function connected(socket: Socket, event: 'connect' | 'secureConnect', signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    // Stays for the socket's life: an error without a listener would end the process.
    socket.on('error', reject);
    socket.once(event, () => resolve());
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    if (signal.aborted) reject(signal.reason as Error);
  });
}
