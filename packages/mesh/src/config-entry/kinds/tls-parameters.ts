import { rejected } from '../../problems.ts';
import { flag, kept, listOf, pointer, struct, text } from '../../shape/index.ts';

/** Where a gateway's certificate comes from when it is an Envoy secret discovery service. */
export const sds = struct({ ClusterName: text(), CertResource: text() });
/** TLS of a gateway or of one of its listeners. */
export const gatewayTls = struct({
  Enabled: kept(flag()),
  SDS: pointer(sds),
  TLSMinVersion: text(),
  TLSMaxVersion: text(),
  CipherSuites: listOf(text()),
});
/** TLS of one service behind a gateway. */
export const gatewayServiceTls = struct({ SDS: pointer(sds) });

const VERSIONS = ['TLS_AUTO', 'TLSv1_0', 'TLSv1_1', 'TLSv1_2', 'TLSv1_3'];
/** With these as minimum, suites can still be chosen; TLS 1.3 fixes its own. */
const CONFIGURABLE = ['', 'TLS_AUTO', 'TLSv1_0', 'TLSv1_1', 'TLSv1_2'];
const SUITES = [
  'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256',
  'TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256',
  'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256',
  'TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256',
  'TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA',
  'TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA',
  'TLS_RSA_WITH_AES_128_GCM_SHA256',
  'TLS_RSA_WITH_AES_128_CBC_SHA',
  'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384',
  'TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384',
  'TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA',
  'TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA',
  'TLS_RSA_WITH_AES_256_GCM_SHA384',
  'TLS_RSA_WITH_AES_256_CBC_SHA',
];

/** @throws LictorError `rejected`; `prefix` goes before the message */
export function validateTlsParameters(minVersion: string, maxVersion: string, cipherSuites: readonly string[], prefix = ''): void {
  for (const version of [minVersion, maxVersion]) {
    if (version !== '' && !VERSIONS.includes(version)) {
      throw rejected(`${prefix}no matching TLS version found for ${version}, please specify one of [${VERSIONS.join(', ')}]`);
    }
  }
  const isOrdered = minVersion !== '' && maxVersion !== '' && minVersion !== 'TLS_AUTO' && maxVersion !== 'TLS_AUTO';
  if (isOrdered && VERSIONS.indexOf(maxVersion) < VERSIONS.indexOf(minVersion)) {
    throw rejected(`${prefix}configuring max version ${maxVersion} less than the configured min version ${minVersion} is invalid`);
  }
  if (cipherSuites.length === 0) return;
  if (!CONFIGURABLE.includes(minVersion)) {
    throw rejected(
      `${prefix}configuring CipherSuites is only applicable to connections negotiated with TLS 1.2 or earlier, TLSMinVersion is set to ${minVersion}`,
    );
  }
  const unknown = cipherSuites.find((suite) => !SUITES.includes(suite));
  if (unknown !== undefined) throw rejected(`${prefix}unsupported Envoy cipher suite: ${unknown}`);
}
