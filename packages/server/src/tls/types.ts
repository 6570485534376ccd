import type { Secret } from '@lictor/protocol';

/** How servers prove to each other who they are (`tls.internal_rpc`). */
export interface RpcTlsOptions {
  readonly datacenter: string;
  /** `consul`; a dot behind it is let go. */
  readonly domain: string;
  /** Callers must show a certificate of our CA. */
  readonly verifyIncoming: boolean;
  /** Calls go out over TLS; default true, and always with `verifyIncoming`. */
  readonly verifyOutgoing?: boolean;
  /** Other servers' certificates must name `server.<dc>.<domain>`; with `verifyIncoming` also those of callers who act as servers. */
  readonly verifyServerHostname: boolean;
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
  /** How long a caller may take for its handshake; default 5 s. 0 leaves it to Node, which takes 120 s. */
  readonly handshakeTimeoutMs?: number;
  /** OpenSSL's names, for TLS 1.2; empty: Node's choice. */
  readonly ciphers: string;
}

/** What the files hold. */
export interface RpcTlsMaterial {
  /** PEM, one or more certificates each. Nothing else is trusted. */
  readonly caPems: readonly string[];
  /** The certificate, then those between it and the CA. */
  readonly certPem: string;
  readonly keyPem: Secret;
}
