import { createHash, createPublicKey } from 'node:crypto';
import { Secret } from '@lictor/protocol';
import { describe, expect, it } from 'vitest';
import { PkiError } from '../errors.ts';
import { keyId } from './key-id.ts';
import { generatePrivateKey, keyInfo, parsePrivateKey, publicKeyOf } from './private-key.ts';
import { signWith, verifySignature } from './signature.ts';

describe('private keys', () => {
  it.each([
    ['ec', 224],
    ['ec', 256],
    ['ec', 384],
    ['ec', 521],
    ['rsa', 2048],
  ] as const)('%s %i round-trips through its PEM and signs', async (type, bits) => {
    const made = await generatePrivateKey(type, bits);
    expect(keyInfo(made.key)).toEqual({ type, bits });
    expect(made.pem.reveal()).toMatch(type === 'ec' ? /^-----BEGIN EC PRIVATE KEY-----\n/ : /^-----BEGIN RSA PRIVATE KEY-----\n/);
    const read = parsePrivateKey(made.pem);
    expect(read.pem.reveal()).toBe(made.pem.reveal());
    const algorithm = type === 'ec' ? '1.2.840.10045.4.3.2' : '1.2.840.113549.1.1.11';
    const signature = signWith(read, Buffer.from('data'));
    expect(verifySignature(algorithm, publicKeyOf(made), Buffer.from('data'), signature)).toBe(true);
    expect(verifySignature(algorithm, publicKeyOf(made), Buffer.from('date'), signature)).toBe(false);
  });

  it('reads PKCS #8 and what openssl writes with its parameters first', async () => {
    const { key, pem } = await generatePrivateKey();
    const pkcs8 = key.export({ type: 'pkcs8', format: 'pem' }).toString();
    expect(parsePrivateKey(new Secret(pkcs8)).pem.reveal()).toBe(pem.reveal());
    const parameters = '-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n';
    expect(parsePrivateKey(new Secret(parameters + pem.reveal())).pem.reveal()).toBe(pem.reveal());
  });

  it('refuses sizes that are not offered', async () => {
    await expect(generatePrivateKey('rsa', 1024)).rejects.toThrow(PkiError);
    await expect(generatePrivateKey('ec', 255)).rejects.toThrow(PkiError);
  });

  it('does not print', async () => {
    const made = await generatePrivateKey();
    expect(JSON.stringify(made.pem)).toBe('"<hidden>"');
    expect(() => parsePrivateKey(new Secret('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----'))).toThrow(
      'unknown PEM block type for signing key: CERTIFICATE',
    );
  });

  it('has the SHA-256 of its public key info as id (consul-facts P001)', async () => {
    const made = await generatePrivateKey();
    const spki = createPublicKey(made.key).export({ type: 'spki', format: 'der' });
    expect(keyId(publicKeyOf(made))).toEqual(createHash('sha256').update(spki).digest());
  });
});

describe('signatures', () => {
  it('are not accepted with SHA-1, unknown algorithms, or the algorithm of another key', async () => {
    const made = await generatePrivateKey();
    const data = Buffer.from('data');
    const signature = signWith(made, data);
    for (const oid of ['1.2.840.10045.4.1', '1.2.3', '1.2.840.113549.1.1.11']) {
      expect(verifySignature(oid, publicKeyOf(made), data, signature)).toBe(false);
    }
  });

  it('are false, not errors, when they are garbage', async () => {
    const made = await generatePrivateKey();
    expect(verifySignature('1.2.840.10045.4.3.2', publicKeyOf(made), Buffer.from('data'), Buffer.from('garbage'))).toBe(false);
  });
});
