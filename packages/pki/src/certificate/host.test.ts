import { describe, expect, it } from 'vitest';
import { generatePrivateKey } from '../keys/index.ts';
import { hasOpenssl, openssl } from '../testing/openssl.ts';
import { type AgentCaOptions, buildAgentCa, buildHostCertificate, parseCertificate, permitsDnsName, permittedDomainsOf } from './index.ts';

const NOW_MS = Date.now();
const DAY_MS = 24 * 3_600_000;
const VALIDITY = { notBeforeMs: NOW_MS - 1_000, notAfterMs: NOW_MS + DAY_MS };

async function createCa(options: Partial<AgentCaOptions> = {}) {
  const key = await generatePrivateKey();
  const pem = buildAgentCa({ key, serial: 2n ** 127n, commonName: 'Consul Agent CA', permittedDomains: [], ...VALIDITY, ...options });
  return { pem, signer: { certificate: parseCertificate(pem), key } };
}

describe('the CA of agents (consul-facts P007)', () => {
  it('signs certificates and lists of revoked ones, and has no name of a host', async () => {
    const { signer } = await createCa();
    expect(signer.certificate).toMatchObject({
      isCa: true,
      keyUsage: ['digitalSignature', 'keyCertSign', 'cRLSign'],
      extKeyUsage: null,
      dnsNames: [],
      uris: [],
    });
    expect(permittedDomainsOf(signer.certificate)).toBeUndefined();
  });

  it('carries the id of a mesh when it is to be its CA too', async () => {
    const { signer } = await createCa({ trustDomain: 'abc.consul' });
    expect(signer.certificate.uris).toEqual(['spiffe://abc.consul']);
  });

  it('names the domains that it is kept to, in a critical extension (RFC 5280 4.2.1.10)', async () => {
    const { signer } = await createCa({ permittedDomains: ['consul', 'localhost'] });
    expect(permittedDomainsOf(signer.certificate)).toEqual(['consul', 'localhost']);
    expect(signer.certificate.extensions.raw.get('2.5.29.30')?.critical).toBe(true);
  });
});

describe('a certificate of a host (consul-facts P008)', () => {
  const names = { dnsNames: ['server.dc1.consul', 'localhost'], ips: ['127.0.0.1'] };

  it.skipIf(!hasOpenssl)('is what openssl takes under its CA', async () => {
    const { pem: ca, signer } = await createCa({ permittedDomains: ['consul', 'localhost'] });
    const key = await generatePrivateKey();
    const options = { signer, key, serial: 7, commonName: 'server.dc1.consul', ...VALIDITY };
    const good = buildHostCertificate({ ...options, ...names, extKeyUsage: ['serverAuth', 'clientAuth'] });
    const verify = (cert: string): string =>
      openssl(['verify', '-x509_strict', '-purpose', 'sslserver', '-CAfile', 'ca.pem', 'cert.pem'], { 'ca.pem': ca, 'cert.pem': cert });
    expect(verify(good)).toBe('cert.pem: OK\n');
    const outside = buildHostCertificate({ ...options, commonName: 'x', dnsNames: ['example.com'], ips: [], extKeyUsage: ['serverAuth'] });
    expect(() => verify(outside)).toThrow(/permitted subtree violation/);
  });

  it('has the usages it is given, or none', async () => {
    const { signer } = await createCa();
    const options = { signer, key: await generatePrivateKey(), serial: 7, commonName: 'cli.dc1.consul', ...VALIDITY, ...names };
    const cli = parseCertificate(buildHostCertificate({ ...options, extKeyUsage: [] }));
    expect(cli).toMatchObject({ isCa: false, keyUsage: ['digitalSignature', 'keyEncipherment'], extKeyUsage: null, ...names });
    const client = parseCertificate(buildHostCertificate({ ...options, extKeyUsage: ['clientAuth', 'serverAuth'] }));
    expect(client.extKeyUsage).toEqual(['clientAuth', 'serverAuth']);
  });
});

describe('the domains of a CA', () => {
  it.each([
    [['consul'], 'server.dc1.consul', true],
    [['.consul'], 'server.dc1.consul', true],
    [['Consul'], 'CONSUL', true],
    [[''], 'anything', true],
    [['consul'], 'notconsul', false],
    [['consul'], 'consul.example.com', false],
    [[], 'consul', false],
  ])('%j permit %s: %s', (domains, name, permits) => {
    expect(permitsDnsName(domains, name)).toBe(permits);
  });
});
