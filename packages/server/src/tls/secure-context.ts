import { constants } from 'node:crypto';
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import { LictorError } from '@lictor/protocol';
import type { RpcTlsMaterial, RpcTlsOptions } from './types.ts';

/** TLS 1.2 renegotiation could swap the peer; a ticket would carry what one CA vouched for past its rotation (security.md, Envoy 2022-21654). */
const SECURE_OPTIONS = constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_NO_TICKET;

export function contextOptions({ minVersion, ciphers }: RpcTlsOptions, { caPems, certPem, keyPem }: RpcTlsMaterial): SecureContextOptions {
  return {
    ca: [...caPems],
    ...(certPem === '' ? {} : { cert: certPem, key: keyPem.reveal() }),
    minVersion,
    ...(ciphers === '' ? {} : { ciphers }),
    secureOptions: SECURE_OPTIONS,
  };
}

/** @throws LictorError `invalid-argument` when certificate, key or CA cannot be used */
export function buildSecureContext(options: SecureContextOptions): SecureContext {
  try {
    return createSecureContext(options);
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    throw new LictorError('invalid-argument', `Failed to load cert/key pair: ${why}`, { cause: thrown });
  }
}
