import type { ChannelCredentials, ServerCredentials } from '@grpc/grpc-js';
import { LictorError } from '@lictor/protocol';
import type { PeerCertificate, SecureContext } from 'node:tls';
import { mustKnowCa, outgoingCredentials } from './outgoing.ts';
import { buildSecureContext, contextOptions } from './secure-context.ts';
import { RpcServerCredentials } from './server-credentials.ts';
import { namesServer, serverNameOf } from './server-name.ts';
import type { RpcTlsMaterial, RpcTlsOptions } from './types.ts';

/** Of a call that came in: what its connection proved. Empty for a certificate that was not verified, or none. */
export interface AuthenticatedCall {
  getAuthContext(): { readonly sslPeerCertificate?: PeerCertificate };
}

/**
 * TLS between servers.
 *
 * 1. Outgoing connections that speak TLS always check that the peer's certificate is of our CA: nothing is trusted by its address.
 * 2. With `verifyServerHostname` the peer's certificate must also name `server.<dc>.<domain>`.
 * 3. Who verifies incoming callers takes no plain text. Others take both, so that a cluster can go over to TLS server by server.
 * 4. With `verifyServerHostname` and `verifyIncoming`, who speaks Raft to us must have that name too: a client agent's certificate never does (CVE-2021-37219).
 */
export class RpcTls {
  readonly #options: RpcTlsOptions;
  readonly #serverName: string;
  readonly #server: RpcServerCredentials;
  readonly #channel: ChannelCredentials;
  #context: SecureContext;

  /** @throws LictorError `invalid-argument` when certificate, key or CA are missing or cannot be used */
  constructor(options: RpcTlsOptions, material: RpcTlsMaterial) {
    this.#options = options;
    this.#serverName = serverNameOf(options.datacenter, options.domain);
    const context = checkedContext(options, material);
    this.#context = context.secure;
    this.#server = new RpcServerCredentials(options.verifyIncoming, context.options, options.handshakeTimeoutMs);
    this.#channel = outgoingCredentials(options, () => this.#context);
  }

  get serverCredentials(): ServerCredentials {
    return this.#server;
  }

  /** Callers need not speak TLS: those that do not verify anybody may not do so yet. */
  get acceptsPlain(): boolean {
    return !this.#options.verifyIncoming;
  }

  get channelCredentials(): ChannelCredentials {
    return this.#channel;
  }

  /** Towards servers of another datacenter, whose certificates name that one. */
  channelTo(datacenter: string): ChannelCredentials {
    return outgoingCredentials({ ...this.#options, datacenter }, () => this.#context);
  }

  /**
   * For connections from now on; those that are open live on.
   * @throws LictorError `invalid-argument`, and everything stays as it was
   */
  replace(material: RpcTlsMaterial): void {
    const context = checkedContext(this.#options, material);
    this.#context = context.secure;
    this.#server.replace(context.options);
  }

  /** Why the caller may not act as a server; undefined: it may. */
  readonly refusalOfServer = (call: AuthenticatedCall): string | undefined => {
    const { verifyIncoming, verifyServerHostname } = this.#options;
    if (!verifyIncoming || !verifyServerHostname) return undefined;
    const certificate = call.getAuthContext().sslPeerCertificate;
    if (certificate?.raw !== undefined && namesServer(certificate.raw, this.#serverName)) return undefined;
    return `the caller's certificate is not valid for ${this.#serverName}`;
  };
}

function checkedContext(options: RpcTlsOptions, material: RpcTlsMaterial) {
  mustKnowCa(options, material);
  if (material.certPem === '' || material.keyPem.isEmpty) {
    throw new LictorError('invalid-argument', 'TLS between servers requires a Cert and Key pair in the configuration file');
  }
  const built = contextOptions(options, material);
  return { options: built, secure: buildSecureContext(built) };
}
