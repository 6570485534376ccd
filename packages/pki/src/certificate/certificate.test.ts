import { X509Certificate } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeDer, Oid, write } from '../der/index.ts';
import { PkiError } from '../errors.ts';
import { generatePrivateKey, keyId, publicKeyOf, spkiDer } from '../keys/index.ts';
import { decodeFirstPem } from '../pem/index.ts';
import { createTestCa, TEST_CLUSTER_ID } from '../testing/index.ts';
import { hasOpenssl, openssl } from '../testing/openssl.ts';
import { buildCrossSigned, buildIntermediate } from './authority.ts';
import { copiedExtension, keyUsageExtension, subjectAltNameExtension } from './extensions-write.ts';
import { certificateFingerprint, formatSerial } from './fingerprint.ts';
import { caCommonName } from './names.ts';
import { parseCertificate } from './parse.ts';

const NOW_MS = Date.UTC(2026, 0, 1);
const DAY_MS = 24 * 3600_000;
const LEAF_URI = `spiffe://${TEST_CLUSTER_ID}.consul/ns/default/dc/dc1/svc/web`;

describe('a root (consul-facts P001; security.md node-forge has no EC keys)', () => {
  it('has the fields of a Consul root', async () => {
    const ca = await createTestCa();
    const root = parseCertificate(ca.rootPem);
    const id = keyId(publicKeyOf(ca.signer.key));
    expect(root).toMatchObject({
      serialHex: '07',
      isCa: true,
      keyUsage: ['digitalSignature', 'keyCertSign', 'cRLSign'],
      extKeyUsage: null,
      uris: [`spiffe://${ca.trustDomain}`],
      subjectKeyId: id,
      authorityKeyId: id,
      notBeforeMs: NOW_MS,
      notAfterMs: NOW_MS + 3650 * DAY_MS,
    });
    expect(root.pathLength).toBeUndefined();
    expect(root.extensions.raw.get(Oid.subjectAltName)?.critical).toBe(false);
  });

  it('has a common name of the form pri-<uid>.<provider>.ca.<td8>.consul of at most 64 characters (P011)', () => {
    const random = { bytes: (length: number) => new Uint8Array(length).fill(255), float: () => 0 };
    expect(caCommonName('consul', TEST_CLUSTER_ID, random)).toMatch(/^pri-[a-z0-9]{8}\.consul\.ca\.11111111\.consul$/);
    expect(caCommonName('A'.repeat(99), TEST_CLUSTER_ID, random).length).toBe(64);
  });
});

describe('a leaf (consul-facts P004, decision D3)', () => {
  it('has an empty subject and its identity in a critical URI SAN', async () => {
    const ca = await createTestCa();
    const leaf = await ca.issue(ca.serviceId('web'));
    const parsed = parseCertificate(leaf.certDer);
    expect(parsed.subject).toEqual(Buffer.from([0x30, 0x00]));
    expect(parsed).toMatchObject({
      uris: [LEAF_URI],
      isCa: false,
      keyUsage: ['digitalSignature', 'keyEncipherment', 'dataEncipherment', 'keyAgreement'],
      extKeyUsage: ['clientAuth', 'serverAuth'],
      subjectKeyId: keyId(publicKeyOf(leaf.key)),
      authorityKeyId: ca.signer.certificate.subjectKeyId,
      dnsNames: [],
      ips: [],
    });
    expect(parsed.extensions.raw.get(Oid.subjectAltName)?.critical).toBe(true);
    expect(parsed.extensions.raw.get(Oid.basicConstraints)?.critical).toBe(true);
  });

  it('of an agent names its hosts (P006)', async () => {
    const ca = await createTestCa();
    const id = { kind: 'agent', trustDomain: ca.trustDomain, partition: 'default', datacenter: 'dc1', node: 'c1' } as const;
    const leaf = await ca.issue(id, { dnsNames: ['localhost'], ips: ['127.0.0.1', '::1', '2001:db8::a:0:1'] });
    expect(parseCertificate(leaf.certPem)).toMatchObject({ dnsNames: ['localhost'], ips: ['127.0.0.1', '::1', '2001:db8::a:0:1'] });
  });
});

describe('intermediates (consul-facts P003, P005)', () => {
  it('of another CA have path length 0 and a critical SAN beside the empty subject', async () => {
    const ca = await createTestCa();
    const spki = spkiDer(publicKeyOf(await generatePrivateKey()));
    const options = { signer: ca.signer, serial: 300, clusterId: ca.clusterId, spki, notBeforeMs: NOW_MS, notAfterMs: NOW_MS + DAY_MS };
    const parsed = parseCertificate(buildIntermediate(options));
    expect(parsed).toMatchObject({ isCa: true, pathLength: 0, uris: [`spiffe://${ca.trustDomain}`], serialHex: '012c' });
    expect(formatSerial(parsed)).toBe('01:2c');
  });

  it('that cross-sign keep name, key and id of the new root and point to the old one', async () => {
    const [old, next] = [await createTestCa(), await createTestCa()];
    const root = next.signer.certificate;
    const validity = { notBeforeMs: NOW_MS, notAfterMs: NOW_MS + 7 * DAY_MS };
    const bridge = parseCertificate(buildCrossSigned({ signer: old.signer, serial: 11, root, ...validity }));
    expect(bridge).toMatchObject({ subject: root.subject, spki: root.spki, subjectKeyId: root.subjectKeyId, uris: root.uris, isCa: true });
    expect(bridge.authorityKeyId).toEqual(old.signer.certificate.subjectKeyId);
    expect(bridge.issuer).toEqual(old.signer.certificate.subject);
  });
});

describe.runIf(hasOpenssl)('beside openssl and Node', () => {
  it.each([
    ['ec', 224],
    ['ec', 256],
    ['ec', 384],
    ['ec', 521],
    ['rsa', 2048],
  ] as const)('chains of %s %i verify strictly', async (keyType, keyBits) => {
    const ca = await createTestCa({ keyType, keyBits, nowMs: Date.now() });
    const leaf = await ca.issue(ca.serviceId('web'));
    const files = { 'root.pem': ca.rootPem, 'leaf.pem': leaf.certPem };
    expect(openssl(['verify', '-x509_strict', '-purpose', 'sslserver', '-CAfile', 'root.pem', 'leaf.pem'], files)).toContain('OK');
    expect(openssl(['verify', '-x509_strict', '-purpose', 'sslclient', '-CAfile', 'root.pem', 'leaf.pem'], files)).toContain('OK');
  });

  it('read the same names, serial and key as we do', async () => {
    const ca = await createTestCa();
    const { certPem } = await ca.issue(ca.serviceId('web'));
    const x509 = new X509Certificate(certPem);
    const parsed = parseCertificate(certPem);
    expect(x509.subjectAltName).toBe(`URI:${LEAF_URI}`);
    expect(x509.ca).toBe(false);
    expect(x509.serialNumber.toLowerCase()).toBe(parsed.serialHex);
    expect(x509.publicKey.export({ type: 'spki', format: 'der' })).toEqual(parsed.spki);
    expect(x509.fingerprint.toLowerCase()).toBe(certificateFingerprint(parsed.raw));
    expect([x509.validFromDate.getTime(), x509.validToDate.getTime()]).toEqual([parsed.notBeforeMs, parsed.notAfterMs]);
  });

  it('read what openssl made: other key ids, names and extensions', () => {
    const names = 'subjectAltName=URI:spiffe://td.consul,DNS:a.example,IP:10.0.0.1,email:a@b.c';
    const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', '/dev/null'];
    const pem = openssl([...request, '-subj', '/C=US/O=Example/CN=Ünïcode', '-utf8', '-days', '10', '-addext', names]);
    expect(parseCertificate(pem)).toMatchObject({
      uris: ['spiffe://td.consul'],
      dnsNames: ['a.example'],
      ips: ['10.0.0.1'],
      emails: ['a@b.c'],
      isCa: true,
    });
  });
});

describe('names in a certificate are typed bytes (CVE-2021-44531, CVE-2021-44532, CVE-2021-44533, Envoy CVE-2022-21656)', () => {
  const craft = async (names: write.DerValue): Promise<Buffer> => {
    const ca = await createTestCa();
    const san = copiedExtension(Oid.subjectAltName, true, encodeDer(names));
    return (await ca.craft([keyUsageExtension(['digitalSignature']), san])).certDer;
  };

  it('a DNS name that looks like a URI stays a DNS name', async () => {
    const der = await craft(write.sequence(write.contextPrimitive(2, Buffer.from(LEAF_URI))));
    expect(parseCertificate(der)).toMatchObject({ uris: [], dnsNames: [LEAF_URI] });
  });

  it('a name with commas stays one name', async () => {
    const text = `a.example,URI:${LEAF_URI}`;
    const der = await craft(write.sequence(write.contextPrimitive(2, Buffer.from(text))));
    expect(parseCertificate(der)).toMatchObject({ uris: [], dnsNames: [text] });
  });

  it.each(['\u0000', '\n', ' ', '\u007f', 'é'])('a name with %j is refused', async (character) => {
    const der = await craft(write.sequence(write.contextPrimitive(6, Buffer.from(`${LEAF_URI}${character}.evil`, 'latin1'))));
    expect(() => parseCertificate(der)).toThrow('printable ASCII');
  });

  it('an address of a wrong length is refused', async () => {
    const der = await craft(write.sequence(write.contextPrimitive(7, Buffer.from([10, 0, 0]))));
    expect(() => parseCertificate(der)).toThrow('malformed IP address');
  });

  it('more than 128 names are refused', async () => {
    const many = Array.from({ length: 129 }, (_, index) => write.contextPrimitive(2, Buffer.from(`a${index}`)));
    const der = await craft(write.sequence(...many));
    expect(() => parseCertificate(der)).toThrow('more than 128');
  });
});

describe('a hostile certificate', () => {
  it('with any one byte changed is refused with PkiError or read without harm', async () => {
    const ca = await createTestCa();
    const { certDer } = await ca.issue(ca.serviceId('web'));
    fc.assert(
      fc.property(fc.nat(certDer.length - 1), fc.integer({ min: 0, max: 255 }), (position, byte) => {
        const mutant = Buffer.from(certDer);
        mutant[position] = byte;
        try {
          parseCertificate(mutant);
        } catch (error) {
          expect(error).toBeInstanceOf(PkiError);
        }
      }),
      { numRuns: 3000 },
    );
  });

  it('of version 1, with trailing bytes, or too large is refused', async () => {
    const { rootPem } = await createTestCa();
    const der = decodeFirstPem(rootPem, 'CERTIFICATE');
    expect(() => parseCertificate(Buffer.concat([der, Buffer.from([0])]))).toThrow('trailing bytes');
    expect(() => parseCertificate(Buffer.alloc(65 * 1024))).toThrow('over');
    expect(() => parseCertificate('nothing')).toThrow('no PEM-encoded data found');
  });

  it('that gives an extension twice is refused', async () => {
    const ca = await createTestCa();
    const san = subjectAltNameExtension({ uris: [LEAF_URI] }, true);
    const { certDer } = await ca.craft([san, san]);
    expect(() => parseCertificate(certDer)).toThrow('extension given twice');
  });
});
