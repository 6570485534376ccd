import type { RuntimeConfig } from '../../contracts/index.ts';
import { ConfigError } from '../config-error.ts';
import type { KeyOf } from '../options/index.ts';
import type { RawReader } from '../source/index.ts';

type Protocol = 'https' | 'grpc' | 'internal_rpc';
type Stanza = Protocol | 'defaults';
type MinVersion = RuntimeConfig['internalRpcTls']['minVersion'];

const PROTOCOLS: readonly Protocol[] = ['internal_rpc', 'https', 'grpc'];
const VERSIONS = ['TLS_AUTO', 'TLSv1_0', 'TLSv1_1', 'TLSv1_2', 'TLSv1_3'];
/** Of the old top-level option. */
const OLD_VERSIONS: ReadonlyMap<string, string> = new Map([
  ['tls10', 'TLSv1_0'],
  ['tls11', 'TLSv1_1'],
  ['tls12', 'TLSv1_2'],
  ['tls13', 'TLSv1_3'],
]);
/** Consul's (IANA's) names of the suites that an agent may be told, and OpenSSL's. */
const SUITES: ReadonlyMap<string, string> = new Map([
  ['TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256', 'ECDHE-ECDSA-CHACHA20-POLY1305'],
  ['TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA', 'ECDHE-ECDSA-AES128-SHA'],
  ['TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256', 'ECDHE-ECDSA-AES128-GCM-SHA256'],
  ['TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA', 'ECDHE-ECDSA-AES256-SHA'],
  ['TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384', 'ECDHE-ECDSA-AES256-GCM-SHA384'],
  ['TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256', 'ECDHE-RSA-CHACHA20-POLY1305'],
  ['TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA', 'ECDHE-RSA-AES128-SHA'],
  ['TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256', 'ECDHE-RSA-AES128-GCM-SHA256'],
  ['TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA', 'ECDHE-RSA-AES256-SHA'],
  ['TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384', 'ECDHE-RSA-AES256-GCM-SHA384'],
]);

/** TLS between servers: what `tls.internal_rpc` does not say, `tls.defaults` does (consul-facts K056). @throws ConfigError */
export function buildInternalRpcTls(raw: RawReader): RuntimeConfig['internalRpcTls'] {
  const verifyServerHostname = flag(raw, 'internal_rpc', 'verify_server_hostname');
  const { minVersion, ciphers } = buildCryptography(raw, 'internal_rpc');
  return {
    caFile: text(raw, 'internal_rpc', 'ca_file'),
    caPath: text(raw, 'internal_rpc', 'ca_path'),
    certFile: text(raw, 'internal_rpc', 'cert_file'),
    keyFile: text(raw, 'internal_rpc', 'key_file'),
    verifyIncoming: flag(raw, 'internal_rpc', 'verify_incoming'),
    // The name alone would be checked by nobody (CVE-2018-19653).
    verifyOutgoing: flag(raw, 'internal_rpc', 'verify_outgoing') || verifyServerHostname,
    verifyServerHostname,
    minVersion,
    ciphers,
  };
}

/** The rules between the options of TLS. @throws ConfigError @returns the warnings */
export function validateTls(config: RuntimeConfig, raw: RawReader): readonly string[] {
  checkStanzas(raw);
  for (const protocol of PROTOCOLS) checkMaterial(raw, protocol);
  const tls = config.internalRpcTls;
  if (!config.server) return lowVersions(raw);
  if ((tls.verifyIncoming || tls.verifyOutgoing) && (tls.certFile === '' || tls.keyFile === '')) {
    throw new ConfigError('a server with verify_outgoing requires a Cert and Key pair in the configuration file', {
      key: 'tls.internal_rpc.cert_file',
    });
  }
  if (!tls.verifyServerHostname || tls.verifyIncoming) return lowVersions(raw);
  return [...lowVersions(raw), 'verify_server_hostname without verify_incoming does not keep callers without a certificate from Raft'];
}

function checkStanzas(raw: RawReader): void {
  const refuse = (key: KeyOf<'bool'>, message: string): void => {
    if (raw.isSet(key)) throw new ConfigError(message, { key });
  };
  refuse('tls.grpc.verify_outgoing', 'verify_outgoing is not valid in the tls.grpc stanza');
  for (const stanza of ['grpc', 'https'] as const) {
    const message = 'verify_server_hostname is only valid in the tls.defaults and tls.internal_rpc stanzas';
    refuse(`tls.${stanza}.verify_server_hostname`, message);
  }
  for (const stanza of ['defaults', 'https', 'internal_rpc'] as const) {
    refuse(`tls.${stanza}.use_auto_cert`, 'use_auto_cert is only valid in the tls.grpc stanza');
  }
}

function checkMaterial(raw: RawReader, protocol: Protocol): void {
  const hasCa = text(raw, protocol, 'ca_file') !== '' || text(raw, protocol, 'ca_path') !== '';
  const hasPair = text(raw, protocol, 'cert_file') !== '' && text(raw, protocol, 'key_file') !== '';
  const isAutomatic = raw.boolean('auto_encrypt.tls');
  const key = `tls.${protocol}.ca_file`;
  if (flag(raw, protocol, 'verify_incoming')) {
    if (!hasCa) throw new ConfigError('VerifyIncoming set but no CA certificates were provided', { key });
    if (!hasPair && !isAutomatic) {
      const message =
        'VerifyIncoming requires either a Cert and Key pair in the configuration file, or auto_encrypt/auto_config be enabled';
      throw new ConfigError(message, { key: `tls.${protocol}.cert_file` });
    }
  }
  const isVerifying = protocol !== 'grpc' && flag(raw, protocol, 'verify_outgoing');
  const isNamed = protocol === 'internal_rpc' && flag(raw, protocol, 'verify_server_hostname');
  if ((isVerifying || isNamed) && !hasCa) throw new ConfigError('VerifyOutgoing set but no CA certificates were provided', { key });
}

function buildCryptography(raw: RawReader, protocol: Protocol): { readonly minVersion: MinVersion; readonly ciphers: string } {
  const inherited = version(raw, 'defaults');
  const inheritedCiphers = suites(raw, 'defaults', inherited);
  const own = raw.isSet(`tls.${protocol}.tls_min_version`) ? version(raw, protocol) : inherited;
  const minVersion = own === 'TLSv1_3' ? 'TLSv1.3' : 'TLSv1.2';
  if (raw.isSet(`tls.${protocol}.tls_cipher_suites`)) return { minVersion, ciphers: suites(raw, protocol, own) };
  // Suites that do not go with a version that was not written beside them are let go.
  return { minVersion, ciphers: own === 'TLSv1_3' ? '' : inheritedCiphers };
}

function version(raw: RawReader, stanza: Stanza): string {
  const key = `tls.${stanza}.tls_min_version` as const;
  const written = OLD_VERSIONS.get(raw.string(key)) ?? raw.string(key);
  if (written === '' || VERSIONS.includes(written)) return written;
  const message = `${key}: invalid TLS version: no matching TLS version found for ${written}, please specify one of [${VERSIONS.join(', ')}]`;
  throw new ConfigError(message, { key });
}

function suites(raw: RawReader, stanza: Stanza, minVersion: string): string {
  const key = `tls.${stanza}.tls_cipher_suites` as const;
  if (!raw.isSet(key)) return '';
  if (minVersion === 'TLSv1_3') throw new ConfigError(`${key}: TLS 1.3 cipher suites are not configurable`, { key });
  const names = raw.string(key).trim() === '' ? [] : raw.string(key).trim().split(',');
  const unknown = names.filter((name) => !SUITES.has(name));
  if (unknown.length === 0) return names.map((name) => SUITES.get(name)).join(':');
  const message = `${key}: invalid TLS cipher suites: no matching Consul Agent TLS cipher suite found for ${unknown.join(',')}`;
  throw new ConfigError(message, { key });
}

function lowVersions(raw: RawReader): readonly string[] {
  return (['defaults', 'internal_rpc'] as const)
    .filter((stanza) => ['TLSv1_0', 'TLSv1_1'].includes(version(raw, stanza)))
    .map((stanza) => `tls.${stanza}.tls_min_version: versions before TLSv1_2 are not spoken (RFC 8996); TLSv1_2 is taken`);
}

function text(raw: RawReader, stanza: Stanza, name: 'ca_file' | 'ca_path' | 'cert_file' | 'key_file'): string {
  return raw.isSet(`tls.${stanza}.${name}`) ? raw.string(`tls.${stanza}.${name}`) : raw.string(`tls.defaults.${name}`);
}

function flag(raw: RawReader, stanza: Stanza, name: 'verify_incoming' | 'verify_outgoing' | 'verify_server_hostname'): boolean {
  return raw.maybeBoolean(`tls.${stanza}.${name}`) ?? raw.boolean(`tls.defaults.${name}`);
}
