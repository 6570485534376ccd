import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { basicConstraintsExtension, copiedExtension, keyUsageExtension, subjectAltNameExtension } from '../certificate/extensions-write.ts';
import { commonName } from '../certificate/names.ts';
import { encodeDer, Oid, write } from '../der/index.ts';
import { PkiError } from '../errors.ts';
import { generatePrivateKey, type PrivateKey, publicKeyOf, signatureAlgorithm, signWith, spkiDer } from '../keys/index.ts';
import { decodeFirstPem, encodePem } from '../pem/index.ts';
import type { SpiffeId } from '../spiffe/index.ts';
import { hasOpenssl, openssl } from '../testing/openssl.ts';
import { createCsr } from './create.ts';
import { MAX_CSR_BYTES, parseCsr } from './parse.ts';
import { verifyCsr } from './verify.ts';
import { verifyIntermediateCsr } from './verify-intermediate.ts';

const URI = 'spiffe://td.consul/ns/default/dc/dc1/svc/web';
const WEB: SpiffeId = {
  kind: 'service',
  trustDomain: 'td.consul',
  partition: 'default',
  namespace: 'default',
  datacenter: 'dc1',
  service: 'web',
};

let key: PrivateKey;
beforeAll(async () => {
  key = await generatePrivateKey();
});

/** A request with these extensions and attributes, correctly signed unless `signer` is another key. */
function craft(
  extensions: readonly write.DerValue[],
  options: { signer?: PrivateKey; attributes?: readonly write.DerValue[] } = {},
): string {
  const request = write.sequence(write.oid(Oid.extensionRequest), write.set(write.sequence(...extensions)));
  const info = write.sequence(
    write.integer(0),
    commonName('anything'),
    write.encoded(spkiDer(publicKeyOf(key))),
    write.contextConstructed(0, request, ...(options.attributes ?? [])),
  );
  const signature = signWith(options.signer ?? key, encodeDer(info));
  return encodePem('CERTIFICATE REQUEST', encodeDer(write.sequence(info, signatureAlgorithm('ec'), write.bitString(signature))));
}

const verify = (pem: string): SpiffeId => verifyCsr(parseCsr(pem));

describe('a certificate request for a leaf', () => {
  it('gives back the id it was made for', () => {
    expect(verify(createCsr({ id: WEB, key }))).toEqual(WEB);
  });

  it('works with every key type', async () => {
    for (const [type, bits] of [['ec', 384] as const, ['ec', 521] as const, ['rsa', 2048] as const]) {
      const csr = parseCsr(createCsr({ id: WEB, key: await generatePrivateKey(type, bits) }));
      expect(csr).toMatchObject({ type, bits });
      expect(verifyCsr(csr)).toEqual(WEB);
    }
  });

  it('may name hosts only as far as the caller allows', () => {
    const csr = parseCsr(createCsr({ id: WEB, key, dnsNames: ['localhost'], ips: ['127.0.0.1', '::1'] }));
    expect(csr.extensions.names).toMatchObject({ dnsNames: ['localhost'], ips: ['127.0.0.1', '::1'] });
    expect(() => verifyCsr(csr)).toThrow('DNS name that is not allowed: localhost');
    expect(() => verifyCsr(csr, { allowsDnsName: () => true })).toThrow('IP address that is not allowed: 127.0.0.1');
    expect(verifyCsr(csr, { allowsDnsName: () => true, allowsIp: () => true })).toEqual(WEB);
  });
});

describe.runIf(hasOpenssl)('beside openssl', () => {
  it('is one that openssl verifies', () => {
    const text = openssl(['req', '-in', 'csr.pem', '-verify', '-noout', '-text'], { 'csr.pem': createCsr({ id: WEB, key }) });
    expect(text).toContain(`URI:${URI}`);
    expect(text).toMatch(/X509v3 Subject Alternative Name: critical/);
  });

  it('reads a request that openssl made', () => {
    const subject = ['-subj', '/CN=web', '-addext', `subjectAltName=URI:${URI}`, '-addext', 'extendedKeyUsage=serverAuth'];
    const pem = openssl(['req', '-new', '-key', 'key.pem', ...subject], { 'key.pem': key.pem.reveal() });
    expect(verify(pem)).toEqual(WEB);
  });
});

describe('CVE-2022-40716: a request gets one identity and nothing that it was not allowed', () => {
  it('refuses two URI SANs', () => {
    const names = { uris: [URI, 'spiffe://td.consul/ns/default/dc/dc1/svc/db'] };
    expect(() => verify(craft([subjectAltNameExtension(names, true)]))).toThrow('CSR SAN contains an invalid number of URIs: 2');
  });

  it('refuses no URI SAN, and no extensions at all', () => {
    expect(() => verify(craft([]))).toThrow('CSR SAN contains an invalid number of URIs: 0');
    expect(() => verify(craft([subjectAltNameExtension({ dnsNames: ['web'] }, true)]))).toThrow('invalid number of URIs: 0');
  });

  it('refuses emails', () => {
    expect(() => verify(craft([subjectAltNameExtension({ uris: [URI], emails: ['a@b.c'] }, true)]))).toThrow(
      'CSR SAN does not allow specifying email addresses',
    );
  });

  it('refuses extra DNS and IP SANs', () => {
    expect(() => verify(craft([subjectAltNameExtension({ uris: [URI], dnsNames: ['bank.example'] }, true)]))).toThrow('bank.example');
    expect(() => verify(craft([subjectAltNameExtension({ uris: [URI], ips: ['10.0.0.1'] }, true)]))).toThrow('10.0.0.1');
  });

  it('refuses names of other types', () => {
    const names = write.sequence(
      write.contextPrimitive(6, Buffer.from(URI)),
      write.contextConstructed(0, write.oid('1.2.3'), write.contextConstructed(0, write.utf8String('x'))),
    );
    expect(() => verify(craft([copiedExtension(Oid.subjectAltName, true, encodeDer(names))]))).toThrow('of a type that is not allowed');
  });

  it('refuses a second SAN extension and a second extension request', () => {
    const san = subjectAltNameExtension({ uris: [URI] }, true);
    expect(() => verify(craft([san, san]))).toThrow('extension given twice');
    const again = write.sequence(write.oid(Oid.extensionRequest), write.set(write.sequence(san)));
    expect(() => verify(craft([san], { attributes: [again] }))).toThrow('two extension requests');
  });

  it('refuses CA:TRUE and the key usage of a CA', () => {
    const san = subjectAltNameExtension({ uris: [URI] }, true);
    expect(() => verify(craft([san, basicConstraintsExtension(true)]))).toThrow('CSR asks for a CA certificate');
    expect(() => verify(craft([san, keyUsageExtension(['keyCertSign'])]))).toThrow('key usage of a CA');
    expect(() => verify(craft([san, keyUsageExtension(['cRLSign'])]))).toThrow('key usage of a CA');
  });

  it('refuses extensions and attributes that nobody asked for', () => {
    const san = subjectAltNameExtension({ uris: [URI] }, true);
    const nameConstraints = copiedExtension('2.5.29.30', true, encodeDer(write.sequence()));
    expect(() => verify(craft([san, nameConstraints]))).toThrow('extension that is not allowed: 2.5.29.30');
    const challenge = write.sequence(write.oid('1.2.840.113549.1.9.7'), write.set(write.utf8String('secret')));
    expect(() => verify(craft([san], { attributes: [challenge] }))).toThrow('attribute that is not allowed');
  });

  it('refuses a request that is signed by another key', async () => {
    const san = subjectAltNameExtension({ uris: [URI] }, true);
    expect(() => verify(craft([san], { signer: key }))).not.toThrow();
    const other = await generatePrivateKey();
    expect(() => verify(craft([san], { signer: other }))).toThrow('signature of certificate request is not valid');
  });

  it.each([`${URI}\u0000.evil`, `${URI}\n`, 'spiffe://td.consul/ns/default/dc/dc1/svc/wéb'])('refuses the URI %j', (uri) => {
    const names = write.sequence(write.contextPrimitive(6, Buffer.from(uri, 'latin1')));
    expect(() => verify(craft([copiedExtension(Oid.subjectAltName, true, encodeDer(names))]))).toThrow('printable ASCII');
  });
});

describe('a hostile request', () => {
  it('is refused by size before it is decoded', () => {
    expect(() => parseCsr(encodePem('CERTIFICATE REQUEST', Buffer.alloc(MAX_CSR_BYTES * 2)))).toThrow('over');
  });

  it('is refused in Consul words when it is no PEM or something else', () => {
    expect(() => parseCsr('nonsense')).toThrow('no PEM-encoded data found');
    expect(() => parseCsr(encodePem('CERTIFICATE', Buffer.from('x')))).toThrow('first PEM-block should be CERTIFICATE REQUEST type');
  });

  it('is refused with a key that is too small', async () => {
    const text = hasOpenssl
      ? openssl([
          'req',
          '-new',
          '-newkey',
          'rsa:1024',
          '-nodes',
          '-keyout',
          '/dev/null',
          '-subj',
          '/',
          '-addext',
          `subjectAltName=URI:${URI}`,
        ])
      : '';
    if (text !== '') expect(() => verify(text)).toThrow('RSA key of 1024 bits is not allowed');
  });

  it('with any one byte changed is refused', () => {
    const der = decodeFirstPem(createCsr({ id: WEB, key }), 'CERTIFICATE REQUEST');
    fc.assert(
      fc.property(fc.nat(der.length - 1), fc.integer({ min: 1, max: 255 }), (position, flip) => {
        const mutant = Buffer.from(der);
        mutant[position] = (mutant[position] ?? 0) ^ flip;
        expect(() => verify(encodePem('CERTIFICATE REQUEST', mutant))).toThrow(PkiError);
      }),
      { numRuns: 1500 },
    );
  });

  it('is refused when a part that nobody reads is not canonical, although its signature is good (CVE-2025-12816)', () => {
    const tlv = (tag: number, ...parts: readonly Buffer[]): Buffer => {
      const content = Buffer.concat(parts);
      const { length: size } = content;
      const length = size < 128 ? [size] : size < 256 ? [0x81, size] : [0x82, size >> 8, size & 0xff];
      return Buffer.concat([Buffer.from([tag, ...length]), content]);
    };
    const requestWithName = (name: Buffer): string => {
      const san = encodeDer(write.sequence(subjectAltNameExtension({ uris: [URI] }, true)));
      const attribute = tlv(0x30, encodeDer(write.oid(Oid.extensionRequest)), tlv(0x31, san));
      const subject = tlv(0x30, tlv(0x31, tlv(0x30, encodeDer(write.oid(Oid.commonName)), name)));
      const info = tlv(0x30, encodeDer(write.integer(0)), subject, spkiDer(publicKeyOf(key)), tlv(0xa0, attribute));
      const signature = encodeDer(write.bitString(signWith(key, info)));
      return encodePem('CERTIFICATE REQUEST', tlv(0x30, info, encodeDer(signatureAlgorithm('ec')), signature));
    };
    expect(verify(requestWithName(Buffer.from([0x13, 0x01, 0x61])))).toEqual(WEB);
    expect(() => verify(requestWithName(Buffer.from([0x13, 0x81, 0x01, 0x61])))).toThrow('length not minimal');
  });

  it('of random bytes throws PkiError only', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 400 }), (bytes) => {
        expect(() => parseCsr(encodePem('CERTIFICATE REQUEST', bytes))).toThrow(PkiError);
      }),
      { numRuns: 3000 },
    );
  });
});

describe('a request of another CA', () => {
  const signing: SpiffeId = { kind: 'signing', trustDomain: 'td.consul' };

  it('is taken for the same trust domain only', () => {
    expect(() => verifyIntermediateCsr(parseCsr(createCsr({ id: signing, key })), 'td.consul')).not.toThrow();
    expect(() => verifyIntermediateCsr(parseCsr(createCsr({ id: signing, key })), 'other.consul')).toThrow(
      'incoming CSR domain "spiffe://td.consul" is not valid for our domain "spiffe://other.consul"',
    );
  });

  it('is refused for a workload id or with names of hosts', () => {
    expect(() => verifyIntermediateCsr(parseCsr(createCsr({ id: WEB, key })), 'td.consul')).toThrow('not valid for our domain');
    expect(() => verifyIntermediateCsr(parseCsr(createCsr({ id: signing, key, dnsNames: ['x'] })), 'td.consul')).toThrow('not allowed');
  });
});
