import fc from 'fast-check';
import { X509Certificate } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { buildCrossSigned, buildIntermediate, buildLeaf, type KeyUsage, parseCertificate } from '../certificate/index.ts';
import {
  basicConstraintsExtension,
  copiedExtension,
  keyUsageExtension,
  leafExtKeyUsageExtension,
  subjectAltNameExtension,
} from '../certificate/extensions-write.ts';
import { encodeDer, Oid, write } from '../der/index.ts';
import { generatePrivateKey, publicKeyOf, spkiDer } from '../keys/index.ts';
import { decodeFirstPem } from '../pem/index.ts';
import type { SpiffeId } from '../spiffe/index.ts';
import { createTestCa, type TestCa } from '../testing/index.ts';
import { hasOpenssl, openssl } from '../testing/openssl.ts';
import { TrustBundle } from './trust-bundle.ts';
import type { PeerVerification } from './types.ts';
import { verifyPeer } from './verify-peer.ts';

const NOW_MS = Date.UTC(2026, 0, 1);
const DAY_MS = 24 * 3600_000;
const OTHER_CLUSTER = '99999999-2222-3333-4444-555555555555';

let ca: TestCa;
beforeAll(async () => {
  ca = await createTestCa({ nowMs: NOW_MS });
});

interface Given {
  readonly intermediates?: readonly Uint8Array[];
  readonly roots?: TrustBundle;
  readonly nowMs?: number;
  readonly expected?: SpiffeId | string;
}

function verify(leafDer: Uint8Array, given: Given = {}): PeerVerification {
  const { intermediates = [], roots = ca.bundle, nowMs = NOW_MS, expected } = given;
  return verifyPeer({ leafDer, intermediatesDer: intermediates, roots, nowMs, ...(expected === undefined ? {} : { expected }) });
}

function codeOf(verification: PeerVerification): string {
  return verification.ok ? 'ok' : verification.code;
}

const uriOf = (service: string): string => `spiffe://${ca.trustDomain}/ns/default/dc/dc1/svc/${service}`;
const san = (...uris: readonly string[]): write.DerValue => subjectAltNameExtension({ uris }, true);
const usage = (): write.DerValue => keyUsageExtension(['digitalSignature']);

describe('a peer with a leaf of the mesh', () => {
  it('is who its certificate says', async () => {
    const leaf = await ca.issue(ca.serviceId('web'));
    const verification = verify(leaf.certDer, { expected: ca.serviceId('web') });
    expect(verification).toMatchObject({ ok: true, spiffeId: ca.serviceId('web'), uri: uriOf('web') });
    expect(verification.ok && verification.serial).toMatch(/^[0-9a-f]{2}$/);
    expect(verification.ok && verification.chain.length).toBe(2);
  });

  it('may be anyone of a trust domain when only that is expected', async () => {
    const leaf = await ca.issue(ca.serviceId('web'));
    expect(codeOf(verify(leaf.certDer, { expected: ca.trustDomain }))).toBe('ok');
  });

  it('is checked for identity and time again although its chain is known', async () => {
    const leaf = await ca.issue(ca.serviceId('web'));
    expect(codeOf(verify(leaf.certDer))).toBe('ok');
    expect(codeOf(verify(leaf.certDer, { expected: ca.serviceId('db') }))).toBe('wrong-identity');
    expect(codeOf(verify(leaf.certDer, { nowMs: NOW_MS + 4 * DAY_MS }))).toBe('expired');
    expect(codeOf(verify(leaf.certDer, { expected: ca.serviceId('web') }))).toBe('ok');
  });

  it('with extended key usage left out is accepted, as SPIFFE allows', async () => {
    const leaf = await ca.craft([usage(), san(uriOf('web'))]);
    expect(codeOf(verify(leaf.certDer))).toBe('ok');
  });
});

describe('the wrong peer', () => {
  it('CVE-2021-32574: another service with a valid leaf is refused', async () => {
    const leaf = await ca.issue(ca.serviceId('db'));
    const verification = verify(leaf.certDer, { expected: ca.serviceId('web') });
    expect(verification).toEqual({ ok: false, code: 'wrong-identity', reason: `peer is ${uriOf('db')}, not ${uriOf('web')}` });
  });

  it('of another CA that claims our trust domain is refused', async () => {
    const impostor = await createTestCa({ nowMs: NOW_MS });
    const leaf = await impostor.issue(ca.serviceId('web'));
    expect(codeOf(verify(leaf.certDer))).toBe('unknown-issuer');
    expect(codeOf(verify(leaf.certDer, { intermediates: [impostor.signer.certificate.raw] }))).toBe('unknown-issuer');
  });

  it('of another trust domain is refused, with and without roots for it', async () => {
    const other = await createTestCa({ clusterId: OTHER_CLUSTER, nowMs: NOW_MS });
    const leaf = await other.issue(other.serviceId('web'));
    expect(codeOf(verify(leaf.certDer))).toBe('wrong-trust-domain');
    expect(codeOf(verify(leaf.certDer, { roots: other.bundle, expected: ca.trustDomain }))).toBe('wrong-trust-domain');
  });

  it('whose identity is of our domain but signed by a root that is trusted for another is refused', async () => {
    const other = await createTestCa({ clusterId: OTHER_CLUSTER, nowMs: NOW_MS });
    const roots = new TrustBundle([
      { trustDomain: ca.trustDomain, rootPems: [ca.rootPem] },
      { trustDomain: other.trustDomain, rootPems: [other.rootPem] },
    ]);
    const forged = await other.issue(ca.serviceId('web'));
    expect(codeOf(verify(forged.certDer, { roots }))).toBe('unknown-issuer');
    expect(codeOf(verify((await other.issue(other.serviceId('web'))).certDer, { roots }))).toBe('ok');
  });
});

describe('time', () => {
  it('refuses leaves before and after their validity, and takes both ends', async () => {
    const leaf = await ca.issue(ca.serviceId('web'), { notBeforeMs: NOW_MS, notAfterMs: NOW_MS + DAY_MS });
    expect(codeOf(verify(leaf.certDer, { nowMs: NOW_MS - 1 }))).toBe('not-yet-valid');
    expect(codeOf(verify(leaf.certDer, { nowMs: NOW_MS }))).toBe('ok');
    expect(codeOf(verify(leaf.certDer, { nowMs: NOW_MS + DAY_MS }))).toBe('ok');
    expect(codeOf(verify(leaf.certDer, { nowMs: NOW_MS + DAY_MS + 1 }))).toBe('expired');
  });

  it('refuses a leaf that outlives its root', async () => {
    const leaf = await ca.issue(ca.serviceId('web'), { notAfterMs: NOW_MS + 5000 * DAY_MS });
    const verification = verify(leaf.certDer, { nowMs: NOW_MS + 4000 * DAY_MS });
    expect(verification).toMatchObject({ ok: false, code: 'expired' });
    expect(!verification.ok && verification.reason).toContain('root certificate expired');
  });
});

describe('identity (SPIFFE X.509-SVID section 2)', () => {
  it('refuses two URI SANs, and none', async () => {
    expect(codeOf(verify((await ca.craft([usage(), san(uriOf('web'), uriOf('db'))])).certDer))).toBe('bad-san');
    expect(codeOf(verify((await ca.craft([usage()])).certDer))).toBe('bad-san');
  });

  it('refuses a URI that is no SPIFFE ID, and one with NUL (Envoy CVE-2026-47778)', async () => {
    expect(codeOf(verify((await ca.craft([usage(), san('https://web')])).certDer))).toBe('bad-san');
    const names = write.sequence(write.contextPrimitive(6, Buffer.from(`${uriOf('web')}\u0000`)));
    const leaf = await ca.craft([usage(), copiedExtension(Oid.subjectAltName, true, encodeDer(names))]);
    expect(codeOf(verify(leaf.certDer))).toBe('bad-san');
  });

  it('takes no identity from another type of name, whole or cut by NUL (Envoy CVE-2025-66220)', async () => {
    const otherName = (text: string): write.DerValue =>
      write.contextConstructed(0, write.oid(Oid.subjectAltName), write.contextConstructed(0, write.utf8String(text)));
    for (const text of [uriOf('web'), `${uriOf('web')}\u0000.evil`]) {
      for (const names of [[otherName(text)], [otherName(text), write.contextPrimitive(6, Buffer.from(uriOf('db')))]]) {
        const leaf = await ca.craft([usage(), copiedExtension(Oid.subjectAltName, true, encodeDer(write.sequence(...names)))]);
        const verified = verify(leaf.certDer);
        expect(verified.ok && JSON.stringify(verified).includes('web')).toBe(false);
      }
    }
  });

  it.each([0, 1, 3, 4, 5, 8])('takes no identity from the bytes of a name of type %i (Envoy CVE-2025-66220)', async (type) => {
    const names = write.sequence(write.contextPrimitive(type, Buffer.from(uriOf('web'))));
    const leaf = await ca.craft([usage(), copiedExtension(Oid.subjectAltName, true, encodeDer(names))]);
    expect(codeOf(verify(leaf.certDer))).toBe('bad-san');
  });

  it('takes no identity from a DNS name that looks like one (Envoy CVE-2022-21656)', async () => {
    const leaf = await ca.craft([usage(), subjectAltNameExtension({ dnsNames: [uriOf('web')] }, true)]);
    expect(codeOf(verify(leaf.certDer))).toBe('bad-san');
  });
});

describe('leaf rules (SPIFFE X.509-SVID section 4)', () => {
  const leafWith = async (...extensions: readonly write.DerValue[]): Promise<string> =>
    codeOf(verify((await ca.craft([...extensions, san(uriOf('web'))])).certDer));

  it('refuses a CA certificate, and the root itself', async () => {
    expect(await leafWith(usage(), basicConstraintsExtension(true))).toBe('not-a-leaf');
    expect(codeOf(verify(ca.signer.certificate.raw))).toBe('not-a-leaf');
  });

  it('refuses a leaf that names only the trust domain', async () => {
    const leaf = await ca.craft([usage(), san(`spiffe://${ca.trustDomain}`)]);
    expect(codeOf(verify(leaf.certDer))).toBe('not-a-leaf');
  });

  it('wants critical key usage digitalSignature, without that of a CA', async () => {
    expect(await leafWith()).toBe('not-a-leaf');
    expect(await leafWith(keyUsageExtension(['keyEncipherment']))).toBe('not-a-leaf');
    expect(await leafWith(keyUsageExtension(['digitalSignature', 'keyCertSign']))).toBe('not-a-leaf');
    expect(await leafWith(keyUsageExtension(['digitalSignature', 'cRLSign']))).toBe('not-a-leaf');
    const optional = copiedExtension(Oid.keyUsage, false, encodeDer(write.namedBits([0])));
    expect(await leafWith(optional)).toBe('not-a-leaf');
  });

  it('wants extended key usage for both roles when there is one (Envoy CVE-2022-21657)', async () => {
    const only = (oid: string): write.DerValue => copiedExtension(Oid.extKeyUsage, false, encodeDer(write.sequence(write.oid(oid))));
    expect(await leafWith(usage(), only(Oid.serverAuth))).toBe('not-a-leaf');
    expect(await leafWith(usage(), only(Oid.clientAuth))).toBe('not-a-leaf');
    expect(await leafWith(usage(), leafExtKeyUsageExtension())).toBe('ok');
  });

  it('refuses critical extensions that are not understood', async () => {
    expect(await leafWith(usage(), copiedExtension('1.2.3.4', true, encodeDer(write.nullValue())))).toBe('unsupported-extension');
    expect(await leafWith(usage(), copiedExtension('1.2.3.4', false, encodeDer(write.nullValue())))).toBe('ok');
  });
});

describe('chains', () => {
  const validity = { notBeforeMs: NOW_MS, notAfterMs: NOW_MS + DAY_MS };

  it('CVE-2026-33896: a leaf without basicConstraints signs nothing', async () => {
    const middle = await ca.craft([keyUsageExtension(['digitalSignature', 'keyCertSign']), san(uriOf('web'))]);
    const signer = { certificate: parseCertificate(middle.certPem), key: middle.key };
    const key = await generatePrivateKey();
    const victim = buildLeaf({ signer, serial: 1, id: ca.serviceId('db'), spki: spkiDer(publicKeyOf(key)), ...validity });
    const der = decodeFirstPem(victim, 'CERTIFICATE');
    expect(codeOf(verify(der, { intermediates: [middle.certDer] }))).toBe('bad-issuer');
  });

  it('a CA certificate without key usage keyCertSign signs nothing', async () => {
    const issue = async (usages: readonly KeyUsage[]): Promise<string> => {
      const middle = await ca.craft([keyUsageExtension(usages), basicConstraintsExtension(true), san(`spiffe://${ca.trustDomain}`)]);
      const signer = { certificate: parseCertificate(middle.certPem), key: middle.key };
      const spki = spkiDer(publicKeyOf(await generatePrivateKey()));
      const leaf = buildLeaf({ signer, serial: 1, id: ca.serviceId('db'), spki, ...validity });
      return codeOf(verify(decodeFirstPem(leaf, 'CERTIFICATE'), { intermediates: [middle.certDer] }));
    };
    expect([await issue(['digitalSignature']), await issue(['digitalSignature', 'keyCertSign'])]).toEqual(['unknown-issuer', 'ok']);
  });

  it('may pass through an intermediate, but no further than its path length', async () => {
    const issue = async (signer: TestCa['signer']) => {
      const key = await generatePrivateKey();
      const spki = spkiDer(publicKeyOf(key));
      const pem = buildIntermediate({ signer, serial: 2, clusterId: ca.clusterId, spki, ...validity });
      return { certificate: parseCertificate(pem), key };
    };
    const first = await issue(ca.signer);
    const second = await issue(first);
    const leafOf = async (signer: TestCa['signer']): Promise<Buffer> => {
      const spki = spkiDer(publicKeyOf(await generatePrivateKey()));
      return decodeFirstPem(buildLeaf({ signer, serial: 3, id: ca.serviceId('web'), spki, ...validity }), 'CERTIFICATE');
    };
    const intermediates = [second.certificate.raw, first.certificate.raw];
    expect(codeOf(verify(await leafOf(first), { intermediates }))).toBe('ok');
    expect(codeOf(verify(await leafOf(second), { intermediates }))).toBe('bad-issuer');
    expect(codeOf(verify(await leafOf(first)))).toBe('unknown-issuer');
  });

  it('an intermediate of another trust domain signs nothing for ours', async () => {
    const key = await generatePrivateKey();
    const spki = spkiDer(publicKeyOf(key));
    const pem = buildIntermediate({ signer: ca.signer, serial: 2, clusterId: OTHER_CLUSTER, spki, ...validity });
    const signer = { certificate: parseCertificate(pem), key };
    const leaf = buildLeaf({ signer, serial: 3, id: ca.serviceId('web'), spki, ...validity });
    const verification = verify(decodeFirstPem(leaf, 'CERTIFICATE'), { intermediates: [signer.certificate.raw] });
    expect(verification).toMatchObject({ ok: false, code: 'bad-issuer', reason: 'issuer belongs to another trust domain' });
  });

  it('a cross-signed root leads to the old root, and its expiry does not matter to who knows the new one', async () => {
    const next = await createTestCa({ nowMs: NOW_MS });
    const bridge = parseCertificate(buildCrossSigned({ signer: ca.signer, serial: 11, root: next.signer.certificate, ...validity })).raw;
    const leaf = await next.issue(next.serviceId('web'));
    expect(codeOf(verify(leaf.certDer, { intermediates: [bridge] }))).toBe('ok');
    expect(codeOf(verify(leaf.certDer, { intermediates: [bridge], nowMs: NOW_MS + 2 * DAY_MS }))).toBe('expired');
    expect(codeOf(verify(leaf.certDer, { intermediates: [bridge], roots: next.bundle, nowMs: NOW_MS + 2 * DAY_MS }))).toBe('ok');
  });

  it('a maze of certificates with the same names ends', async () => {
    const mazes = await Promise.all(Array.from({ length: 6 }, () => createTestCa({ nowMs: NOW_MS })));
    const leaf = await (mazes[0] ?? ca).issue(ca.serviceId('web'));
    const intermediates = mazes.map((maze) => maze.signer.certificate.raw);
    expect(codeOf(verify(leaf.certDer, { intermediates }))).toBe('unknown-issuer');
    expect(codeOf(verify(leaf.certDer, { intermediates: [...intermediates, ca.signer.certificate.raw] }))).toBe('bad-issuer');
  });
});

describe.runIf(hasOpenssl)('weak cryptography', () => {
  it('a leaf with an RSA key of 1,024 bits is refused', () => {
    const request = ['req', '-new', '-newkey', 'rsa:1024', '-nodes', '-keyout', '/dev/null', '-subj', '/'];
    const csr = openssl(request);
    const sign = [
      'x509',
      '-req',
      '-in',
      'csr.pem',
      '-CA',
      'ca.pem',
      '-CAkey',
      'ca.key',
      '-CAcreateserial',
      '-days',
      '1',
      '-extfile',
      'ext',
    ];
    const files = { 'csr.pem': csr, 'ca.pem': ca.rootPem, 'ca.key': ca.signer.key.pem.reveal() };
    const ext = `keyUsage=critical,digitalSignature\nsubjectAltName=critical,URI:${uriOf('web')}\n`;
    const pem = openssl(sign, { ...files, ext });
    const nowMs = parseCertificate(pem).notBeforeMs;
    expect(codeOf(verify(decodeFirstPem(pem, 'CERTIFICATE'), { nowMs }))).toBe('weak-algorithm');
    const strong = openssl(['req', '-new', '-newkey', 'rsa:2048', '-nodes', '-keyout', '/dev/null', '-subj', '/']);
    const good = openssl(sign, { ...files, ext, 'csr.pem': strong });
    expect(codeOf(verify(decodeFirstPem(good, 'CERTIFICATE'), { nowMs: parseCertificate(good).notBeforeMs }))).toBe('ok');
    const sha1 = openssl([...sign, '-sha1'], { ...files, ext, 'csr.pem': strong });
    expect(codeOf(verify(decodeFirstPem(sha1, 'CERTIFICATE'), { nowMs: parseCertificate(sha1).notBeforeMs }))).toBe('weak-algorithm');
  });
});

describe('hostile bytes', () => {
  it('are refused and never throw', () => {
    for (const bytes of [Buffer.alloc(0), Buffer.from('-----BEGIN CERTIFICATE-----'), Buffer.from(ca.rootPem), Buffer.alloc(70_000)]) {
      expect(codeOf(verify(bytes))).toBe('malformed');
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(verify(bytes).ok).toBe(false);
      }),
      { numRuns: 2000 },
    );
  });

  it('one changed byte of a leaf never makes it somebody else', async () => {
    const { certDer } = await ca.issue(ca.serviceId('web'));
    fc.assert(
      fc.property(fc.nat(certDer.length - 1), fc.integer({ min: 1, max: 255 }), (position, flip) => {
        const mutant = Buffer.from(certDer);
        mutant[position] = (mutant[position] ?? 0) ^ flip;
        const verification = verify(mutant);
        expect(verification.ok).toBe(false);
      }),
      { numRuns: 1500 },
    );
  });

  it('in the place of the public key are refused, and reading them throws nothing (Node CVE-2023-30588)', async () => {
    const { certDer } = await ca.issue(ca.serviceId('web'));
    const key = new X509Certificate(certDer).publicKey.export({ type: 'spki', format: 'der' });
    const at = certDer.indexOf(key);
    expect(at).toBeGreaterThan(0);
    for (let offset = 0; offset < key.length; offset++) {
      const mutant = Buffer.from(certDer);
      mutant.fill(0xff, at + offset, at + Math.min(offset + 8, key.length));
      expect(verify(mutant).ok).toBe(false);
    }
  });

  it('among the intermediates refuse the peer', async () => {
    const leaf = await ca.issue(ca.serviceId('web'));
    expect(codeOf(verify(leaf.certDer, { intermediates: [Buffer.from('garbage')] }))).toBe('malformed');
    const seven = Array.from({ length: 7 }, () => ca.signer.certificate.raw);
    expect(codeOf(verify(leaf.certDer, { intermediates: seven }))).toBe('bad-issuer');
  });

  it('give reasons of one line without control characters', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        const verification = verify(bytes);
        expect(verification.ok ? '' : verification.reason).toMatch(/^[\x20-\x7e]+$/);
      }),
    );
  });
});

describe('a trust bundle', () => {
  it('forgets old chains with the old roots (Envoy CVE-2022-21654)', async () => {
    const leaf = await ca.issue(ca.serviceId('web'));
    expect(codeOf(verify(leaf.certDer))).toBe('ok');
    const next = await createTestCa({ nowMs: NOW_MS });
    expect(codeOf(verify(leaf.certDer, { roots: next.bundle }))).toBe('unknown-issuer');
  });

  it('takes no leaf for a root', async () => {
    const leaf = await ca.issue(ca.serviceId('web'));
    expect(() => new TrustBundle([{ trustDomain: ca.trustDomain, rootPems: [leaf.certPem] }])).toThrow('root is not a CA certificate');
  });
});
