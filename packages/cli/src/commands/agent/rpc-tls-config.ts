import type { RuntimeConfig } from '@lictor/client-agent';
import type { NetworkConfig } from '@lictor/server';

/** Null when there is no certificate, and neither side is to be verified. With one alone both TLS and plain text are taken. */
export function toRpcTlsConfig({ internalRpcTls, datacenter, domain, limits }: RuntimeConfig): NetworkConfig['tls'] {
  const { caFile, caPath, certFile, keyFile, verifyIncoming, verifyOutgoing, verifyServerHostname, minVersion, ciphers } = internalRpcTls;
  if (!verifyIncoming && !verifyOutgoing && (certFile === '' || keyFile === '')) return null;
  return {
    options: {
      datacenter,
      domain,
      verifyIncoming,
      verifyOutgoing,
      verifyServerHostname,
      minVersion,
      ciphers,
      handshakeTimeoutMs: limits.rpcHandshakeTimeoutMs,
    },
    files: { caFile, caPath, certFile, keyFile },
  };
}
