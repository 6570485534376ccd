import { describe, expect, it } from 'vitest';
import { createTestCa } from '../testing/index.ts';
import { parseBuiltinCaConfig } from './builtin/index.ts';
import { parseCommonCaConfig } from './config.ts';
import { createCaProvider } from './factory.ts';

const HOUR_MS = 3600_000;

describe('CA configuration (consul-facts P017)', () => {
  it('has Consul defaults', () => {
    expect(parseCommonCaConfig({})).toEqual({
      leafCertTtlMs: 72 * HOUR_MS,
      intermediateCertTtlMs: 8760 * HOUR_MS,
      rootCertTtlMs: 87600 * HOUR_MS,
      keyType: 'ec',
      keyBits: 256,
      csrMaxPerSecond: 50,
      csrMaxConcurrent: 0,
    });
  });

  it('takes API and file casing, numbers in strings, and ignores what it does not know', () => {
    const expected = { leafCertTtlMs: 48 * HOUR_MS, csrMaxPerSecond: 0.5, keyType: 'rsa', keyBits: 4096 };
    const keys = { PrivateKeyType: 'rsa', PrivateKeyBits: '4096', Bogus: 1 };
    expect(parseCommonCaConfig({ LeafCertTTL: '48h', CSRMaxPerSecond: '0.5', ...keys })).toMatchObject(expected);
    expect(
      parseCommonCaConfig({ leaf_cert_ttl: '48h', csr_max_per_second: 0.5, private_key_type: 'rsa', private_key_bits: 4096 }),
    ).toMatchObject(expected);
  });

  it('reads a number as nanoseconds', () => {
    expect(parseCommonCaConfig({ LeafCertTTL: 2 * HOUR_MS * 1e6 }).leafCertTtlMs).toBe(2 * HOUR_MS);
  });
});

describe('refused configuration, in Consul words (consul-facts P018)', () => {
  it.each([
    [{ LeafCertTTL: '1m' }, 'leaf cert TTL must be greater or equal than 1h0m0s'],
    [{ LeafCertTTL: '8761h', SkipValidate: false }, 'leaf cert TTL must be less than 8760h0m0s'],
    [
      { LeafCertTTL: '72h', IntermediateCertTTL: '100h' },
      'Intermediate Cert TTL must be greater or equal than 3 * LeafCertTTL (>=216h0m0s).',
    ],
    [{ LeafCertTTL: '1h', IntermediateCertTTL: '2h' }, 'Intermediate Cert TTL must be greater or equal than 3h'],
    [
      { RootCertTTL: '24h' },
      'root cert TTL is set and is not greater than intermediate cert ttl. root cert ttl: 24h0m0s, intermediate cert ttl: 8760h0m0s',
    ],
    [{ PrivateKeyType: 'ec', PrivateKeyBits: 2048 }, 'EC key length must be one of (224, 256, 384, 521) bits'],
    [{ PrivateKeyType: 'rsa' }, 'RSA key length must be 2048 or 4096 bits'],
    [{ PrivateKeyType: 'dsa' }, "private key type must be either 'ec' or 'rsa'"],
  ])('%j', (raw, message) => {
    expect(() => parseCommonCaConfig(raw)).toThrow(message);
  });

  it('skips lifetimes with SkipValidate, never keys', () => {
    expect(parseCommonCaConfig({ LeafCertTTL: '1m', SkipValidate: true }).leafCertTtlMs).toBe(60_000);
    expect(() => parseCommonCaConfig({ PrivateKeyBits: 1, SkipValidate: true })).toThrow('EC key length');
  });

  it('wants a key beside a root', async () => {
    const { rootPem } = await createTestCa();
    expect(() => parseBuiltinCaConfig({ RootCert: rootPem })).toThrow('must provide a private key when providing a root cert');
  });

  it('names a duration that is none', () => {
    expect(() => parseCommonCaConfig({ LeafCertTTL: 'soon' })).toThrow('error decoding config: ');
  });

  it('never repeats a private key that it cannot read', () => {
    expect(() => parseBuiltinCaConfig({ PrivateKey: '-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n' })).toThrow(
      'private key cannot be read',
    );
  });
});

describe('providers by name (consul-facts P015)', () => {
  it('says which one is unknown', () => {
    expect(() => createCaProvider(new Map(), 'bogus')).toThrow('unknown CA provider "bogus"');
  });

  it('says that Vault is not there yet instead of not knowing it', () => {
    expect(() => createCaProvider(new Map(), 'vault')).toThrow('CA provider "vault" is not available in this version');
  });
});
