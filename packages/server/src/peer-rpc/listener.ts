import * as grpc from '@grpc/grpc-js';
import { GRPC_SERVER_OPTIONS } from '@lictor/raft';
import { Door } from './door.ts';
import type { PeerRpcPorts } from './ports.ts';

export interface RpcListenerOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** Without: plain text only. */
  readonly credentials?: grpc.ServerCredentials;
  /** For callers that have no certificate yet, who get the services of `enrollServer` and no other. Without: they get none. */
  readonly enrollCredentials?: grpc.ServerCredentials;
  /** Beside TLS also plain text. */
  readonly acceptsPlain?: boolean;
  /** How long a caller may take to begin; default 5 s, 0 for ever. */
  readonly handshakeTimeoutMs?: number;
  /** Default 100, 0 for any number. */
  readonly maxConnectionsPerClient?: number;
}

/** Consul's `limits.rpc_handshake_timeout` and `limits.rpc_max_conns_per_client` (security.md 5). */
const HANDSHAKE_TIMEOUT_MS = 5_000;
const MAX_CONNECTIONS_PER_CLIENT = 100;
/** Streams of one connection: a peer needs a handful. */
export const MAX_STREAMS = 128;
const MAX_ENROLL_STREAMS = 2;

/** The RPC port: one gRPC server for all that servers say to each other. Services are added before `start`. */
export class RpcListener {
  readonly server: grpc.Server;
  /** A server of its own: what is not added to it cannot be called without a certificate. */
  readonly enrollServer: grpc.Server;
  readonly #options: RpcListenerOptions;
  readonly #ports: PeerRpcPorts;
  #door: Door | undefined;

  constructor(options: RpcListenerOptions, ports: PeerRpcPorts) {
    this.#options = options;
    this.#ports = ports;
    this.server = new grpc.Server({ ...GRPC_SERVER_OPTIONS, 'grpc.max_concurrent_streams': MAX_STREAMS });
    this.enrollServer = new grpc.Server({ ...GRPC_SERVER_OPTIONS, 'grpc.max_concurrent_streams': MAX_ENROLL_STREAMS });
  }

  /**
   * @returns The port bound.
   * @throws LictorError `unavailable` when it is taken
   */
  start(): Promise<number> {
    const { host, port, credentials, enrollCredentials, acceptsPlain = false, handshakeTimeoutMs, maxConnectionsPerClient } = this.#options;
    const insecure = credentials === undefined || acceptsPlain ? grpc.ServerCredentials.createInsecure() : undefined;
    const door = new Door(
      {
        host,
        port,
        firstWordTimeoutMs: handshakeTimeoutMs ?? HANDSHAKE_TIMEOUT_MS,
        maxConnectionsPerClient: maxConnectionsPerClient ?? MAX_CONNECTIONS_PER_CLIENT,
        tls: credentials === undefined ? undefined : this.server.createConnectionInjector(credentials),
        enroll: enrollCredentials === undefined ? undefined : this.enrollServer.createConnectionInjector(enrollCredentials),
        plain: insecure === undefined ? undefined : this.server.createConnectionInjector(insecure),
      },
      this.#ports,
    );
    this.#door = door;
    return door.open();
  }

  /** Calls that are being served may end by themselves for so long. Nobody gets in from the moment of the call. */
  async stop(graceMs: number): Promise<void> {
    const timer = this.#ports.clock.setTimer(graceMs, () => {
      this.server.forceShutdown();
      this.enrollServer.forceShutdown();
      this.#door?.clear();
    });
    // Its own answer is not waited for: it comes too early for connections that it was given, and not at all for some that just broke.
    for (const server of [this.server, this.enrollServer]) server.tryShutdown(() => undefined);
    await this.#door?.close();
    timer.cancel();
  }
}
