import { chmodSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer as createHttpServer, type RequestListener, type Server as HttpServer, type ServerOptions } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { Server } from 'node:net';
import type { SecureContextOptions } from 'node:tls';
import { LictorError } from '@lictor/protocol';
import type { ListenAddress, RuntimeConfig } from '../contracts/index.ts';
import type { HttpsIdentity } from './deps.ts';

/** Where a server listens, with the real port when 0 was asked for. */
export interface BoundAddress {
  readonly scheme: 'http' | 'https';
  readonly host?: string;
  readonly port?: number;
  readonly socketPath?: string;
}

export interface Listener {
  readonly server: HttpServer;
  readonly address: BoundAddress;
}

/** Go allows 1 MiB; nothing that the API takes needs more than this (docs/reference/http.md). */
const DEFAULT_MAX_HEADER_BYTES = 65_536;
/** A whole request, snapshot uploads included, must have arrived by then. Answers may take longer: blocking queries last 10 minutes. */
const REQUEST_TIMEOUT_MS = 600_000;
const HEADERS_TIMEOUT_MS = 30_000;
/** Longer than the 90 s for which Go clients keep an idle connection, so that they never write to one that is being closed. */
const KEEP_ALIVE_TIMEOUT_MS = 120_000;

export async function openListeners(
  config: RuntimeConfig,
  onRequest: RequestListener,
  prepare: (server: Server) => void,
  identity?: HttpsIdentity,
): Promise<Listener[]> {
  const open: Listener[] = [];
  try {
    for (const address of config.httpListen) {
      open.push(await listen(createPlain(config, onRequest), 'http', address, prepare));
    }
    for (const address of config.httpsListen) {
      open.push(await listen(createTls(config, onRequest, identity), 'https', address, prepare));
    }
  } catch (error) {
    for (const { server } of open) server.close();
    throw error;
  }
  return open;
}

function createPlain(config: RuntimeConfig, onRequest: RequestListener): HttpServer {
  return configure(createHttpServer(serverOptions(config), onRequest));
}

function createTls(config: RuntimeConfig, onRequest: RequestListener, identity: HttpsIdentity | undefined): HttpServer {
  const { http } = config;
  const server = createHttpsServer(
    {
      ...serverOptions(config),
      ...secureContext(http, identity),
      requestCert: http.verifyIncoming,
      rejectUnauthorized: http.verifyIncoming,
      handshakeTimeout: http.handshakeTimeoutMs,
    },
    onRequest,
  );
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  const unsubscribe = identity?.onChange(() => server.setSecureContext(secureContext(http, identity)));
  server.once('close', () => unsubscribe?.());
  return configure(server);
}

function secureContext({ certFile, keyFile, caFile }: RuntimeConfig['http'], identity: HttpsIdentity | undefined): SecureContextOptions {
  const ca = caFile === '' ? [] : [readFileSync(caFile)];
  const minVersion = 'TLSv1.2';
  if (certFile === '' && identity !== undefined) {
    const { certPem, keyPem, caPems } = identity.current();
    return { cert: certPem, key: keyPem.reveal(), ca: [...ca, ...caPems], minVersion };
  }
  return {
    // Without a certificate the port is open and every handshake fails, as in Consul.
    ...(certFile === '' ? {} : { cert: readFileSync(certFile) }),
    ...(keyFile === '' ? {} : { key: readFileSync(keyFile) }),
    ...(ca.length === 0 ? {} : { ca }),
    minVersion,
  };
}

function serverOptions(config: RuntimeConfig): ServerOptions {
  return {
    maxHeaderSize: config.http.maxHeaderBytes > 0 ? config.http.maxHeaderBytes : DEFAULT_MAX_HEADER_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    headersTimeout: HEADERS_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    noDelay: true,
    insecureHTTPParser: false,
    joinDuplicateHeaders: false,
  };
}

function configure<S extends HttpServer>(server: S): S {
  server.timeout = 0;
  server.maxRequestsPerSocket = 0;
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (!socket.writable || error.code === 'ECONNRESET') {
      socket.destroy();
      return;
    }
    const status = error.code === 'HPE_HEADER_OVERFLOW' ? '431 Request Header Fields Too Large' : '400 Bad Request';
    const head = 'Content-Type: text/plain; charset=utf-8\r\nX-Content-Type-Options: nosniff\r\nConnection: close';
    socket.end(`HTTP/1.1 ${status}\r\n${head}\r\n\r\n${status}`);
  });
  return server;
}

function listen(
  server: HttpServer,
  scheme: 'http' | 'https',
  address: ListenAddress,
  prepare: (server: Server) => void,
): Promise<Listener> {
  prepare(server);
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(listenError(error, address)));
    const onListening = (): void => {
      server.removeAllListeners('error');
      server.on('error', () => undefined);
      resolve({ server, address: boundAddress(server, scheme, address) });
    };
    if ('socketPath' in address) {
      removeStaleSocket(address.socketPath);
      server.listen(address.socketPath, () => {
        if (address.mode !== undefined) chmodSync(address.socketPath, address.mode);
        onListening();
      });
    } else server.listen(address.port, address.host, onListening);
  });
}

function boundAddress(server: HttpServer, scheme: 'http' | 'https', address: ListenAddress): BoundAddress {
  if ('socketPath' in address) return { scheme, socketPath: address.socketPath };
  const bound = server.address();
  return { scheme, host: address.host, port: typeof bound === 'object' && bound !== null ? bound.port : address.port };
}

/** A socket that a killed agent left behind would make every later start fail. Only sockets are removed. */
function removeStaleSocket(path: string): void {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isSocket()) rmSync(path);
}

function listenError(error: NodeJS.ErrnoException, address: ListenAddress): LictorError {
  const where = 'socketPath' in address ? `unix ${address.socketPath}` : `tcp ${address.host}:${address.port}`;
  const why = error.code === 'EADDRINUSE' ? 'bind: address already in use' : error.message;
  return new LictorError('unavailable', `listen ${where}: ${why}`, { cause: error });
}
