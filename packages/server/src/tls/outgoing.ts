import { ChannelCredentials } from '@grpc/grpc-js';
import { LictorError } from '@lictor/protocol';
import { ENROLL_PREFACE } from '../peer-rpc/protocol.ts';
import type { PeerCertificate, SecureContext } from 'node:tls';
import { RpcChannelCredentials } from './channel-credentials.ts';
import { namesServer, serverNameOf } from './server-name.ts';
import type { RpcTlsMaterial, RpcTlsOptions } from './types.ts';

const ENROLL = Uint8Array.of(ENROLL_PREFACE);

/** How connections to servers go out: over TLS, with the newest certificates, or in plain text. */
export function outgoingCredentials(options: RpcTlsOptions, context: () => SecureContext): ChannelCredentials {
  if (!isTlsSpoken(options)) return ChannelCredentials.createInsecure();
  const serverName = serverNameOf(options.datacenter, options.domain);
  const checkServerIdentity = (_host: string, certificate: PeerCertificate): Error | undefined =>
    options.verifyServerHostname ? problemOf(certificate, serverName) : undefined;
  return new RpcChannelCredentials(serverName, { checkServerIdentity, rejectUnauthorized: true }, context);
}

/**
 * How an agent without a certificate comes to servers: always over TLS, and they are verified as `options` say when there is a CA to do so.
 * Without one whoever answers is believed, as in Consul: the caller should warn of that.
 */
export function enrollCredentials(options: RpcTlsOptions, context: () => SecureContext, isVerified: boolean): ChannelCredentials {
  const serverName = serverNameOf(options.datacenter, options.domain);
  const checkServerIdentity = (_host: string, certificate: PeerCertificate): Error | undefined =>
    isVerified && options.verifyServerHostname ? problemOf(certificate, serverName) : undefined;
  return new RpcChannelCredentials(serverName, { checkServerIdentity, rejectUnauthorized: isVerified }, context, ENROLL);
}

/** @throws LictorError `invalid-argument` when nobody could be verified */
export function mustKnowCa(options: RpcTlsOptions, { caPems }: RpcTlsMaterial): void {
  // Without a CA Node would take the ones of the public web.
  if (caPems.length === 0 && isTlsSpoken(options))
    throw new LictorError('invalid-argument', 'VerifyOutgoing set but no CA certificates were provided');
}

function isTlsSpoken({ verifyIncoming, verifyOutgoing = true, verifyServerHostname }: RpcTlsOptions): boolean {
  return verifyIncoming || verifyOutgoing || verifyServerHostname;
}

function problemOf(certificate: PeerCertificate, serverName: string): Error | undefined {
  // What Node does with a throw in here is its own affair (CVE-2026-21637).
  try {
    if (namesServer(certificate.raw, serverName)) return undefined;
  } catch {
    // As a certificate without the name.
  }
  return new Error(`x509: certificate is not valid for ${serverName}`);
}
