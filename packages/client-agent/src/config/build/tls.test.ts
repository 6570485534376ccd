import { describe, expect, it } from 'vitest';
import { loadTexts } from '../testing/environment.ts';

const load = (hcl: string) => loadTexts({ '/a.hcl': hcl });
const CERTIFIED = 'ca_file = "ca" cert_file = "cert" key_file = "key"';
const SERVER = 'server = true data_dir = "/data" bootstrap = true';

describe('TLS between servers (consul-facts K056)', () => {
  it('is off by default', () => {
    const tls = load('').internalRpcTls;
    expect([tls.verifyIncoming, tls.verifyOutgoing, tls.verifyServerHostname, tls.caFile]).toEqual([false, false, false, '']);
    expect(tls.minVersion).toBe('TLSv1.2');
  });

  it('takes from tls.defaults what tls.internal_rpc does not say', () => {
    const config = load(`tls {
      defaults { ${CERTIFIED} verify_incoming = true verify_outgoing = true tls_min_version = "TLSv1_3" }
      internal_rpc { cert_file = "own" verify_incoming = false ca_path = "folder" }
    }`);
    expect(config.internalRpcTls).toEqual({
      caFile: 'ca',
      caPath: 'folder',
      certFile: 'own',
      keyFile: 'key',
      verifyIncoming: false,
      verifyOutgoing: true,
      verifyServerHostname: false,
      minVersion: 'TLSv1.3',
      ciphers: '',
    });
    expect(config.http.verifyIncoming).toBe(true);
  });

  it.each([
    [`tls { defaults { ${CERTIFIED} verify_server_hostname = true } }`],
    [`tls { internal_rpc { ${CERTIFIED} verify_server_hostname = true verify_outgoing = false } }`],
    [`${CERTIFIED} verify_server_hostname = true`],
  ])('verifies servers whenever their name is verified (CVE-2018-19653): %s', (hcl) => {
    const { verifyOutgoing, verifyServerHostname } = load(hcl).internalRpcTls;
    expect([verifyOutgoing, verifyServerHostname]).toEqual([true, true]);
  });

  it('takes the old top-level names (CVE-2019-9764)', () => {
    const { internalRpcTls } = load(`${CERTIFIED} verify_incoming_rpc = true verify_outgoing = true tls_min_version = "tls13"`);
    expect(internalRpcTls).toMatchObject({ verifyIncoming: true, verifyOutgoing: true, minVersion: 'TLSv1.3', certFile: 'cert' });
  });

  it('gives suites their OpenSSL names', () => {
    const suites = 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384';
    const config = load(`tls { defaults { tls_cipher_suites = "${suites}" } }`);
    expect(config.internalRpcTls.ciphers).toBe('ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384');
    const newer = load(`tls { defaults { tls_cipher_suites = "${suites}" } internal_rpc { tls_min_version = "TLSv1_3" } }`);
    expect(newer.internalRpcTls.ciphers).toBe('');
  });

  it('speaks no version before 1.2, and says so', () => {
    const config = load('tls { internal_rpc { tls_min_version = "TLSv1_0" } }');
    expect(config.internalRpcTls.minVersion).toBe('TLSv1.2');
    expect(config.warnings).toContainEqual(expect.stringContaining('TLSv1_2 is taken'));
  });

  it('says that without verify_incoming the name keeps nobody from Raft', () => {
    const named = (more: string): readonly string[] =>
      load(`${SERVER} tls { internal_rpc { ${CERTIFIED} verify_server_hostname = true ${more} } }`).warnings;
    expect(named('')).toContainEqual(expect.stringContaining('from Raft'));
    expect(named('verify_incoming = true')).not.toContainEqual(expect.stringContaining('from Raft'));
  });
});

describe('what cannot work is refused, in the words of Consul', () => {
  it.each([
    ['tls { internal_rpc { verify_incoming = true } }', 'VerifyIncoming set but no CA certificates were provided'],
    ['tls { https { verify_incoming = true } }', 'VerifyIncoming set but no CA certificates were provided'],
    ['verify_incoming = true', 'VerifyIncoming set but no CA certificates were provided'],
    [
      'tls { defaults { verify_incoming = true ca_file = "ca" cert_file = "cert" } }',
      'VerifyIncoming requires either a Cert and Key pair in the configuration file, or auto_encrypt/auto_config be enabled',
    ],
    ['tls { internal_rpc { verify_outgoing = true } }', 'VerifyOutgoing set but no CA certificates were provided'],
    ['tls { internal_rpc { verify_server_hostname = true } }', 'VerifyOutgoing set but no CA certificates were provided'],
    ['tls { grpc { verify_outgoing = true } }', 'verify_outgoing is not valid in the tls.grpc stanza'],
    [
      'tls { https { verify_server_hostname = true } }',
      'verify_server_hostname is only valid in the tls.defaults and tls.internal_rpc stanzas',
    ],
    ['tls { defaults { use_auto_cert = true } }', 'use_auto_cert is only valid in the tls.grpc stanza'],
    [
      'tls { defaults { tls_min_version = "tls9" } }',
      'tls.defaults.tls_min_version: invalid TLS version: no matching TLS version found for tls9, please specify one of [TLS_AUTO, TLSv1_0, TLSv1_1, TLSv1_2, TLSv1_3]',
    ],
    [
      'tls { internal_rpc { tls_cipher_suites = "TLS_X,TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,TLS_Y" } }',
      'tls.internal_rpc.tls_cipher_suites: invalid TLS cipher suites: no matching Consul Agent TLS cipher suite found for TLS_X,TLS_Y',
    ],
    [
      'tls { defaults { tls_min_version = "TLSv1_3" tls_cipher_suites = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256" } }',
      'tls.defaults.tls_cipher_suites: TLS 1.3 cipher suites are not configurable',
    ],
    [`${SERVER} tls { internal_rpc { ca_file = "ca" verify_outgoing = true } }`, 'requires a Cert and Key pair in the configuration file'],
  ])('%s', (hcl, message) => {
    expect(() => load(hcl)).toThrow(message);
  });
});
