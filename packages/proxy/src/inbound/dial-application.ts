import { connect, type Socket } from 'node:net';
import type { Clock } from '@lictor/protocol';

export interface ApplicationAddress {
  readonly host: string;
  readonly port: number;
  /** Unix socket, instead of both. */
  readonly path?: string;
}

/** Takes back a dial whose result is no longer wanted. */
export type CancelDial = () => void;

/**
 * Connects to the local application in clear text: it must listen on loopback. Calls back once, with a paused socket that
 * keeps its halves apart.
 */
export function dialApplication(
  address: ApplicationAddress,
  timeoutMs: number,
  clock: Clock,
  done: (error: Error | undefined, socket: Socket | undefined) => void,
): CancelDial {
  const place = address.path === undefined ? { host: address.host, port: address.port } : { path: address.path };
  const socket = connect({ ...place, allowHalfOpen: true, noDelay: true });
  let settled = false;
  const settle = (error: Error | undefined): void => {
    if (settled) return;
    settled = true;
    timer.cancel();
    if (error !== undefined) socket.destroy();
    done(error, error === undefined ? socket : undefined);
  };
  const timer = clock.setTimer(timeoutMs, () => settle(new Error(`dial ${formatAddress(address)}: i/o timeout`)));
  socket.on('error', (error) => settle(error));
  socket.once('connect', () => settle(undefined));
  return () => {
    if (settled) return;
    settled = true;
    timer.cancel();
    socket.destroy();
  };
}

export function formatAddress(address: ApplicationAddress): string {
  if (address.path !== undefined) return address.path;
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}
