import { type CallCredentials, ChannelCredentials, type ChannelOptions, type VerifyOptions } from '@grpc/grpc-js';
import type { SecureContext } from 'node:tls';

type Target = Parameters<ChannelCredentials['_createSecureConnector']>[0];
type Connector = ReturnType<ChannelCredentials['_createSecureConnector']>;

/**
 * A caller's side of TLS towards servers: asks for one server name whatever the address is (grpc-js would ask for the address, and Node
 * refuses to ask for an IP address by name), and takes the newest certificate and CA for
 * each connection, so that channels that live on follow a reload.
 */
export class RpcChannelCredentials extends ChannelCredentials {
  readonly #serverName: string;
  readonly #verify: VerifyOptions;
  readonly #context: () => SecureContext;
  readonly #preface: Uint8Array | undefined;

  /** `preface`: what goes out in clear before TLS begins. */
  constructor(serverName: string, verify: VerifyOptions, context: () => SecureContext, preface?: Uint8Array) {
    super();
    this.#serverName = serverName;
    this.#verify = verify;
    this.#context = context;
    this.#preface = preface;
  }

  override compose(): ChannelCredentials {
    throw new Error('servers call each other with certificates only');
  }

  override _isSecure(): boolean {
    return true;
  }

  override _equals(other: ChannelCredentials): boolean {
    return this === other;
  }

  override _createSecureConnector(target: Target, options: ChannelOptions, callCredentials?: CallCredentials): Connector {
    const named = { ...options, 'grpc.ssl_target_name_override': this.#serverName };
    const newest = (): Connector =>
      ChannelCredentials.createFromSecureContext(this.#context(), this.#verify)._createSecureConnector(target, named, callCredentials);
    const first = newest();
    return {
      connect: (socket) => {
        if (this.#preface !== undefined) socket.write(this.#preface);
        return newest().connect(socket);
      },
      waitForReady: () => first.waitForReady(),
      getCallCredentials: () => first.getCallCredentials(),
      destroy: () => first.destroy(),
    };
  }
}
