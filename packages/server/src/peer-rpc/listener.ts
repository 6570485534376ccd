import * as grpc from '@grpc/grpc-js';
import { LictorError } from '@lictor/protocol';
import { GRPC_SERVER_OPTIONS } from '@lictor/raft';
import type { PeerRpcPorts } from './ports.ts';

export interface RpcListenerOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** Without: plain text. */
  readonly credentials?: grpc.ServerCredentials;
}

/** The RPC port: one gRPC server for all that servers say to each other. Services are added before `start`. */
export class RpcListener {
  readonly server: grpc.Server;
  readonly #options: RpcListenerOptions;
  readonly #ports: PeerRpcPorts;

  constructor(options: RpcListenerOptions, ports: PeerRpcPorts) {
    this.#options = options;
    this.#ports = ports;
    this.server = new grpc.Server(GRPC_SERVER_OPTIONS);
  }

  /**
   * @returns The port bound.
   * @throws LictorError `unavailable` when it is taken
   */
  start(): Promise<number> {
    const { host, port, credentials = grpc.ServerCredentials.createInsecure() } = this.#options;
    const address = `${host.includes(':') ? `[${host}]` : host}:${port}`;
    return new Promise((resolve, reject) => {
      this.server.bindAsync(address, credentials, (error, bound) => {
        if (error === null) resolve(bound);
        else reject(new LictorError('unavailable', `listen ${address}: ${error.message}`, { cause: error }));
      });
    });
  }

  /** Calls that are being served may end by themselves for so long. Nobody gets in from the moment of the call. */
  stop(graceMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#ports.clock.setTimer(graceMs, () => {
        this.server.forceShutdown();
        // Not left to tryShutdown: it waits for ever for a session that was just being destroyed (of who speaks no HTTP/2, for one).
        resolve();
      });
      this.server.tryShutdown(() => {
        timer.cancel();
        resolve();
      });
    });
  }
}
