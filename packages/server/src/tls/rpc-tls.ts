import type { ChannelCredentials, ServerCredentials } from '@grpc/grpc-js';
import { LictorError } from '@lictor/protocol';
import type { PeerCertificate, SecureContext, SecureContextOptions } from 'node:tls';
import { type MeshTrust, type ParsedMeshTrust, parseMeshTrust, readMeshCaller } from './mesh-caller.ts';
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
 * 4. Agents whose certificates are of the mesh's CA (auto_encrypt) may call as agents when `trustMesh` says so; as servers never.
 * 5. With `verifyServerHostname` and `verifyIncoming`, who speaks Raft to us must have that name too: a client agent's certificate never does (CVE-2021-37219).
 */
export class RpcTls {
  readonly #options: RpcTlsOptions;
  readonly #serverName: string;
  readonly #server: RpcServerCredentials;
  readonly #enroll: RpcServerCredentials;
  readonly #channel: ChannelCredentials;
  #context: SecureContext;
  #material: RpcTlsMaterial;
  #mesh: ParsedMeshTrust | undefined;

  /** @throws LictorError `invalid-argument` when certificate, key or CA are missing or cannot be used */
  constructor(options: RpcTlsOptions, material: RpcTlsMaterial) {
    this.#options = options;
    this.#serverName = serverNameOf(options.datacenter, options.domain);
    const context = checkedContext(options, material);
    this.#material = material;
    this.#context = context.secure;
    this.#server = new RpcServerCredentials(options.verifyIncoming, context.options, options.handshakeTimeoutMs);
    this.#enroll = new RpcServerCredentials(false, context.options, options.handshakeTimeoutMs);
    this.#channel = outgoingCredentials(options, () => this.#context);
  }

  get serverCredentials(): ServerCredentials {
    return this.#server;
  }

  /** For callers that have no certificate yet, and are asked for none. */
  get enrollCredentials(): ServerCredentials {
    return this.#enroll;
  }

  /** PEM: whom servers' certificates are of. */
  get caPems(): readonly string[] {
    return this.#material.caPems;
  }

  get verifiesServerHostname(): boolean {
    return this.#options.verifyServerHostname;
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
    this.#material = material;
    this.#context = context.secure;
    this.#enroll.replace(context.options);
    this.#server.replace(this.#withMesh(context.options));
  }

  /**
   * Agents whose certificates are of the mesh's CA may call, from the next connection on. Servers are not verified with it: none has such a
   * certificate. @throws LictorError `invalid-argument`, and everything stays as it was
   */
  trustMesh(mesh: MeshTrust): void {
    const parsed = parseMeshTrust(mesh, this.#material.caPems);
    const options = contextOptions(this.#options, this.#material);
    const withMesh = { ...options, ca: [...this.#material.caPems, ...mesh.rootPems] };
    buildSecureContext(withMesh);
    this.#mesh = parsed;
    this.#server.replace(withMesh);
  }

  /** Why the caller may not act as a server; undefined: it may. */
  readonly refusalOfServer = (call: AuthenticatedCall): string | undefined => {
    const { verifyIncoming, verifyServerHostname } = this.#options;
    const certificate = call.getAuthContext().sslPeerCertificate;
    if (verifyIncoming && this.#mesh !== undefined) {
      const caller = certificate?.raw === undefined ? undefined : readMeshCaller(certificate.raw, this.#mesh);
      if (caller?.kind !== 'stranger') return `the caller's certificate is not a server's`;
    }
    if (!verifyIncoming || !verifyServerHostname) return undefined;
    if (certificate?.raw !== undefined && namesServer(certificate.raw, this.#serverName)) return undefined;
    return `the caller's certificate is not valid for ${this.#serverName}`;
  };

  /** Why the caller may not act as an agent; undefined: it may. */
  readonly refusalOfAgent = (call: AuthenticatedCall): string | undefined => {
    if (!this.#options.verifyIncoming || this.#mesh === undefined) return undefined;
    const raw = call.getAuthContext().sslPeerCertificate?.raw;
    if (raw === undefined) return 'the caller has shown no certificate';
    const caller = readMeshCaller(raw, this.#mesh);
    return caller.kind === 'refused' ? caller.reason : undefined;
  };

  #withMesh(options: SecureContextOptions): SecureContextOptions {
    return this.#mesh === undefined ? options : { ...options, ca: [...this.#material.caPems, ...this.#mesh.rootPems] };
  }
}

function checkedContext(options: RpcTlsOptions, material: RpcTlsMaterial) {
  mustKnowCa(options, material);
  if (material.certPem === '' || material.keyPem.isEmpty) {
    throw new LictorError('invalid-argument', 'TLS between servers requires a Cert and Key pair in the configuration file');
  }
  const built = contextOptions(options, material);
  return { options: built, secure: buildSecureContext(built) };
}
