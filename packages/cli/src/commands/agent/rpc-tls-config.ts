import type { RuntimeConfig } from '@lictor/client-agent';
import type { NetworkConfig } from '@lictor/server';

/** Of a client that gets its certificate from the servers: always TLS. */
export function toEnrolledTlsConfig(config: RuntimeConfig): NonNullable<NetworkConfig['tls']> {
  return fullConfig(config);
}

/** Null when there is no certificate, and neither side is to be verified. With one alone both TLS and plain text are taken. */
export function toRpcTlsConfig(config: RuntimeConfig): NetworkConfig['tls'] {
  const { certFile, keyFile, verifyIncoming, verifyOutgoing } = config.internalRpcTls;
  return !verifyIncoming && !verifyOutgoing && (certFile === '' || keyFile === '') ? null : fullConfig(config);
}

function fullConfig({ internalRpcTls, datacenter, domain, limits }: RuntimeConfig): NonNullable<NetworkConfig['tls']> {
  const { caFile, caPath, certFile, keyFile, verifyIncoming, verifyOutgoing, verifyServerHostname, minVersion, ciphers } = internalRpcTls;
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
