import { X509Certificate } from 'node:crypto';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  type CertificateRequest,
  createCsr,
  encodePem,
  generatePrivateKey,
  parseCertificate,
  parseCsr,
  parsePrivateKey,
  PkiError,
  SpiffeIdError,
  splitPemBundle,
  TrustBundle,
  verifyCsr,
  verifyPeer,
} from '../../packages/pki/src/index.ts';
import { Secret } from '../../packages/protocol/src/index.ts';
import { decodeFirstPem } from '../../packages/pki/src/pem/index.ts';
import { createTestCa, type TestCa } from '../../packages/pki/src/testing/index.ts';
import { mutatedBytes, mutatedText } from './support/mutate.ts';
import { mutatedDer } from './support/mutate-der.ts';

/** Certificates, requests and keys as others send them: structures changed with the lengths around them kept right. */
const NOW_MS = Date.UTC(2026, 0, 1);

let ca: TestCa;
let csrs: readonly Buffer[];
let certificates: readonly Buffer[];
let keyPems: readonly string[];
beforeAll(async () => {
  ca = await createTestCa({ nowMs: NOW_MS });
  const keys = [await generatePrivateKey(), await generatePrivateKey('rsa', 2048)];
  csrs = keys.map((key) =>
    decodeFirstPem(createCsr({ id: ca.serviceId('web'), key, dnsNames: ['web.local'], ips: ['10.0.0.1', '::1'] }), 'CERTIFICATE REQUEST'),
  );
  const leaf = await ca.issue(ca.serviceId('web'), { dnsNames: ['web.local'], ips: ['10.0.0.1'] });
  certificates = [leaf.certDer, decodeFirstPem(ca.rootPem, 'CERTIFICATE')];
  keyPems = keys.map((key) => key.pem.reveal());
});

const mutants = (corpus: readonly Buffer[]): fc.Arbitrary<Buffer> => fc.oneof(mutatedDer(corpus), mutatedBytes(corpus));

/** What came out, or undefined when it was refused as it should be. */
function orRefused<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof PkiError || error instanceof SpiffeIdError) return undefined;
    throw error;
  }
}

/** Names and keys are parts that `parseCertificate` keeps as they are, and OpenSSL reads. */
function readByOpenssl(der: Buffer): X509Certificate | undefined {
  try {
    return new X509Certificate(der);
  } catch {
    return undefined;
  }
}

describe('DER with parts moved, doubled and dropped', () => {
  it('as a request is refused with PkiError, or has a good signature by its own key', () => {
    const isSigned = (request: CertificateRequest): boolean =>
      orRefused(() => verifyCsr(request, { allowsDnsName: () => true, allowsIp: () => true })) !== undefined;
    for (const der of csrs) expect(isSigned(parseCsr(encodePem('CERTIFICATE REQUEST', der)))).toBe(true);
    let parsed = 0;
    fc.assert(
      fc.property(mutants([...csrs]), (der) => {
        const request = orRefused(() => parseCsr(encodePem('CERTIFICATE REQUEST', der)));
        if (request === undefined) return;
        parsed += 1;
        // What is outside the signature may be spelled in two ways: parameters of RSA are NULL or absent (RFC 4055 section 5).
        if (isSigned(request)) expect(csrs.some((csr) => csr.includes(request.signedBytes))).toBe(true);
      }),
      { numRuns: 1000 },
    );
    expect(parsed).toBeGreaterThan(10);
  });

  it('as a certificate is refused with PkiError, or read as OpenSSL reads it', () => {
    let compared = 0;
    fc.assert(
      fc.property(mutants([...certificates]), (der) => {
        const certificate = orRefused(() => parseCertificate(der));
        if (certificate === undefined) return;
        const reference = readByOpenssl(der);
        if (reference === undefined) return;
        compared += 1;
        expect(reference.raw.equals(der)).toBe(true);
        expect(BigInt(`0x${reference.serialNumber}`)).toBe(BigInt(`0x${certificate.serialHex}`));
        expect(certificate.notAfterMs).toBe(reference.validToDate.getTime());
        // OpenSSL asks for the usage keyCertSign too; verifyPeer does so elsewhere.
        if (reference.ca) expect(certificate.isCa).toBe(true);
      }),
      { numRuns: 1000 },
    );
    expect(compared).toBeGreaterThan(10);
  });

  it('as a peer is nobody, alone or among the intermediates of a good one', () => {
    const [leaf = Buffer.alloc(0)] = certificates;
    const verify = (leafDer: Uint8Array, intermediatesDer: readonly Uint8Array[]): boolean =>
      verifyPeer({ leafDer, intermediatesDer, roots: ca.bundle, nowMs: NOW_MS }).ok;
    expect(verify(leaf, [])).toBe(true);
    fc.assert(
      fc.property(mutants([...certificates]), (der) => {
        if (!leaf.equals(der)) expect(verify(der, [])).toBe(false);
        verify(leaf, [der]);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('PEM with parts moved, doubled and dropped', () => {
  const TOKENS = [
    '-----BEGIN CERTIFICATE-----',
    '-----END CERTIFICATE-----',
    '-----',
    '\n',
    '\r\n',
    '=',
    'Proc-Type: 4,ENCRYPTED\n',
    '\u0000',
    'é',
  ];

  it('as a bundle of roots is refused with PkiError, or holds certificates', () => {
    fc.assert(
      fc.property(mutatedText([ca.rootPem, ca.rootPem + ca.rootPem], TOKENS), (pem) => {
        for (const block of orRefused(() => splitPemBundle(pem)) ?? []) orRefused(() => parseCertificate(block));
        const bundle = orRefused(() => new TrustBundle([{ trustDomain: ca.trustDomain, rootPems: [pem] }]));
        if (bundle !== undefined)
          expect(
            verifyPeer({ leafDer: certificates[0] ?? Buffer.alloc(0), intermediatesDer: [], roots: bundle, nowMs: NOW_MS }).ok,
          ).toBeTypeOf('boolean');
      }),
      { numRuns: 500 },
    );
  });

  it('as a private key is refused with an error that shows none of it', () => {
    fc.assert(
      fc.property(mutatedText([...keyPems], TOKENS), (pem) => {
        try {
          parsePrivateKey(new Secret(pem));
        } catch (error) {
          expect(error).toBeInstanceOf(PkiError);
          for (const line of pem.split('\n').filter((text) => text.length > 16 && !text.startsWith('--')))
            expect(String(error)).not.toContain(line);
        }
      }),
      { numRuns: 500 },
    );
  });
});
