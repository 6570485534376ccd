import { isIP } from 'node:net';
import type { RuntimeConfig } from '../../contracts/index.ts';
import { ConfigError } from '../config-error.ts';
import type { RawReader } from '../source/index.ts';

export function buildAutoEncrypt(raw: RawReader): RuntimeConfig['autoEncrypt'] {
  return {
    tls: raw.boolean('auto_encrypt.tls'),
    allowTls: raw.boolean('auto_encrypt.allow_tls'),
    dnsSans: raw.strings('auto_encrypt.dns_san'),
    ipSans: raw.strings('auto_encrypt.ip_san').filter(isAddress),
  };
}

/** @throws ConfigError @returns the warnings, in Consul's words where it has them */
export function validateAutoEncrypt(
  { server, devMode, autoEncrypt, internalRpcTls, aclEnabled }: RuntimeConfig,
  raw: RawReader,
): readonly string[] {
  const { tls, allowTls } = autoEncrypt;
  if (server && tls) throw new ConfigError('auto_encrypt.tls can only be used on a client.', { key: 'auto_encrypt.tls' });
  if (!server && allowTls) throw new ConfigError('auto_encrypt.allow_tls can only be used on a server.', { key: 'auto_encrypt.allow_tls' });
  const warnings = raw
    .strings('auto_encrypt.ip_san')
    .filter((ip) => !isAddress(ip))
    .map((ip) => `Cannot parse ip ${JSON.stringify(ip)} from AutoEncrypt.IPSAN`);
  const { verifyIncoming, certFile, caFile, caPath } = internalRpcTls;
  if (allowTls && !devMode && certFile === '') {
    warnings.push('auto_encrypt.allow_tls has no effect on a server without a certificate for tls.internal_rpc');
  } else if (allowTls && !verifyIncoming) {
    warnings.push(
      'if auto_encrypt.allow_tls is turned on, tls.internal_rpc.verify_incoming should be enabled (either explicitly or via tls.defaults.verify_incoming). It is necessary to turn it off during a migration to TLS, but it should definitely be turned on afterwards.',
    );
  }
  if (allowTls && !aclEnabled) {
    warnings.push('auto_encrypt.allow_tls without ACLs: whoever reaches the RPC port gets the certificate of a client');
  }
  if (tls && caFile === '' && caPath === '') {
    warnings.push('auto_encrypt.tls without a CA in tls.internal_rpc.ca_file: whoever answers first is believed to be a server');
  }
  return warnings;
}

function isAddress(text: string): boolean {
  return isIP(text) !== 0 && !text.includes('%');
}
