import { once } from 'node:events';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import type { IssuedCert } from '@lictor/protocol';

export interface RawOptions extends ConnectionOptions {
  readonly allowHalfOpen?: boolean;
}

/**
 * A TLS client that is not ours, such as another mesh's proxy: no ALPN unless asked for, one stream a connection. It trusts
 * whoever answers. Resolves after the handshake, from the client's point of view.
 */
export async function rawClient(port: number, leaf: IssuedCert | undefined, options: RawOptions = {}): Promise<TLSSocket> {
  const all: RawOptions = {
    host: '127.0.0.1',
    port,
    rejectUnauthorized: false,
    ...(leaf !== undefined && { cert: leaf.CertPEM, key: leaf.PrivateKeyPEM ?? '' }),
    ...options,
  };
  const socket = connect(all);
  await once(socket, 'secureConnect');
  return socket;
}

/** What a socket receives until it is closed, whichever way. */
export async function readToEnd(socket: TLSSocket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on('error', () => undefined);
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  if (!socket.closed) await once(socket, 'close');
  return Buffer.concat(chunks);
}
