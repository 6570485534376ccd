import type { SecureServerOptions } from 'node:http2';
import type { SecureContextOptions } from 'node:tls';
import { ServerCredentials } from '@grpc/grpc-js';

/** How long a caller may take for its handshake (security.md, etcd 2026-73500; consul-facts T015). */
const HANDSHAKE_TIMEOUT_MS = 5_000;

/** A listener's side of TLS, whose certificate and CA can be replaced while it runs: new connections get the new ones. */
export class RpcServerCredentials extends ServerCredentials {
  constructor(isCallerVerified: boolean, context: SecureContextOptions, handshakeTimeoutMs = HANDSHAKE_TIMEOUT_MS) {
    const options: SecureServerOptions = {
      requestCert: isCallerVerified,
      rejectUnauthorized: isCallerVerified,
      handshakeTimeout: handshakeTimeoutMs,
    };
    super(options, context);
  }

  replace(context: SecureContextOptions): void {
    this.updateSecureContextOptions(context);
  }

  override _equals(other: ServerCredentials): boolean {
    return this === other;
  }
}
