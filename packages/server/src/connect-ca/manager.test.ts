import { allowAll, type Authorizer } from '@lictor/mesh';
import { colonHex, createCsr, generatePrivateKey, parseCertificate, splitPemBundle, verifyPeer } from '@lictor/pki';
import { LictorError } from '@lictor/protocol';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CA_SET_CONFIG, CA_SET_ROOTS_AND_CONFIG } from '../fsm/commands/connect-ca.ts';
import { caProviderTable } from '../state/tables/connect-ca.ts';
import type { ConnectCa } from './manager.ts';
import { readCaConfig } from './state.ts';
import { type CaHarness, caRequest, createCaHarness } from './testing/harness.ts';
import { IntermediateProvider } from './testing/intermediate-provider.ts';

const HOUR_MS = 3600_000;
const DAY_MS = 24 * HOUR_MS;

let harness: CaHarness;
let ca: ConnectCa;

beforeEach(() => {
  harness = createCaHarness();
  ca = harness.createCa();
});

afterEach(() => {
  ca.stop();
  expect(harness.clock.pendingTimers).toBe(0);
});

async function leafFor(service: string): Promise<readonly Buffer[]> {
  const { value } = await ca.sign(await harness.csr(harness.serviceId(service)), allowAll);
  return splitPemBundle(value.CertPEM);
}

function isTrusted(chain: readonly Buffer[], rootPem?: string): boolean {
  const [leafDer = Buffer.alloc(0), ...intermediatesDer] = chain;
  return verifyPeer({ leafDer, intermediatesDer, roots: harness.bundle(rootPem), nowMs: harness.clock.now() }).ok;
}

function providerRecords(): number {
  return [...harness.reader().scan(caProviderTable)].length;
}

describe('bootstrap (consul-facts P019)', () => {
  it('makes a configuration with Consul defaults, a cluster id and a root', async () => {
    await ca.start();
    const config = readCaConfig(harness.reader());
    expect(config).toMatchObject({
      Provider: 'consul',
      Config: { IntermediateCertTTL: '8760h', LeafCertTTL: '72h', RootCertTTL: '87600h' },
      State: null,
      ForceWithoutCrossSigning: false,
    });
    expect(config?.ClusterID).toMatch(/^[0-9a-f-]{36}$/);
    expect(harness.activeRoot()).toMatchObject({
      Name: 'Consul CA Primary Cert',
      ExternalTrustDomain: config?.ClusterID,
      IntermediateCerts: null,
      PrivateKeyType: 'ec',
      PrivateKeyBits: 256,
      NotBefore: '2026-01-01T00:00:00Z',
    });
    expect(parseCertificate(harness.activeRoot().RootCert).uris).toEqual([`spiffe://${config?.ClusterID}.consul`]);
  });

  it('keeps root, key and trust domain over a change of leaders', async () => {
    await ca.start();
    const root = harness.activeRoot();
    const appliedIndex = harness.store.appliedIndex;
    ca.stop();
    ca = harness.createCa({ caConfig: caRequest({ LeafCertTTL: '24h' }) });
    await ca.start();
    expect(harness.activeRoot()).toEqual(root);
    expect(harness.store.appliedIndex).toBe(appliedIndex);
    expect(isTrusted(await leafFor('web'))).toBe(true);
  });

  it('takes the agent configuration the first time, in file casing and with its cluster id', async () => {
    const clusterId = '5120C63B-2dc6-0cdd-815e-04c5f4a7715b';
    ca = harness.createCa({ caConfig: caRequest({ leaf_cert_ttl: '24h', cluster_id: clusterId }) });
    await ca.start();
    const config = readCaConfig(harness.reader());
    expect(config?.Config).toEqual({ IntermediateCertTTL: '8760h', LeafCertTTL: '24h', RootCertTTL: '87600h' });
    expect(config?.ClusterID).toBe(clusterId.toLowerCase());
  });

  it('stores nothing of a configuration that does not work, and tries again until it is told a better one', async () => {
    ca = harness.createCa({ caConfig: caRequest({ LeafCertTTL: '1m' }) });
    await ca.start();
    expect(harness.store.appliedIndex).toBe(0);
    await harness.clock.advance(10_000);
    expect(harness.logger.lines.filter((line) => line.message === 'Failed to initialize Connect CA').length).toBeGreaterThan(2);
    await ca.configure(caRequest({ LeafCertTTL: '2h' }));
    expect(isTrusted(await leafFor('web'))).toBe(true);
  });

  it('comes back after consensus failed in the middle, with the root that it had begun', async () => {
    harness.failing.add(CA_SET_ROOTS_AND_CONFIG);
    await ca.start();
    expect(harness.roots()).toEqual([]);
    harness.failing.clear();
    await harness.clock.advance(2000);
    expect(isTrusted(await leafFor('web'))).toBe(true);
    expect(parseCertificate(harness.activeRoot().RootCert).uris).toEqual([`spiffe://${harness.trustDomain()}`]);
  });

  it('that is overtaken by the loss of leadership signs nothing and leaves no timer', async () => {
    harness.before.set(CA_SET_ROOTS_AND_CONFIG, () => ca.stop());
    await ca.start();
    await expect(ca.sign('anything', allowAll)).rejects.toThrow('CA is uninitialized');
    harness.before.clear();
    await ca.start();
    expect(isTrusted(await leafFor('web'))).toBe(true);
  });

  it('does not sign before it is ready, and waits no longer than half a second for it', async () => {
    const signing = ca.sign('anything', allowAll);
    await expect(signing).rejects.toThrow('CA is uninitialized and unable to sign certificates yet');
  });
});

describe('configuration (consul-facts P018, P020; observed 1.21)', () => {
  it('that changes lifetimes is stored without a rotation', async () => {
    await ca.start();
    const root = harness.activeRoot();
    const index = await ca.configure(caRequest({ LeafCertTTL: '48h' }));
    expect(readCaConfig(harness.reader())).toMatchObject({ Config: { LeafCertTTL: '48h' }, ModifyIndex: index });
    expect(harness.roots()).toEqual([root]);
    const [leaf = Buffer.alloc(0)] = await leafFor('web');
    expect(parseCertificate(leaf).notAfterMs - parseCertificate(leaf).notBeforeMs).toBe(48 * HOUR_MS);
  });

  it('that changes nothing writes nothing', async () => {
    await ca.start();
    const { Config = {} } = readCaConfig(harness.reader()) ?? {};
    const appliedIndex = harness.store.appliedIndex;
    expect(await ca.configure(caRequest(Config))).toBe(appliedIndex);
    expect(harness.store.appliedIndex).toBe(appliedIndex);
  });

  it.each([
    [caRequest({}, { Provider: 'bogus' }), 'could not initialize provider: unknown CA provider "bogus"'],
    [caRequest({ LeafCertTTL: '1m' }), 'error configuring provider: leaf cert TTL must be greater or equal than 1h0m0s'],
    [
      caRequest({ PrivateKeyType: 'ec', PrivateKeyBits: 2048 }),
      'error configuring provider: EC key length must be one of (224, 256, 384, 521) bits',
    ],
    [caRequest({}, { State: { RootGeneration: '9' } }), 'CA Provider State is read-only'],
  ])('%j is refused in Consul words and changes nothing', async (request, message) => {
    await ca.start();
    const appliedIndex = harness.store.appliedIndex;
    await expect(ca.configure(request)).rejects.toThrow(message);
    await expect(ca.configure(request)).rejects.toMatchObject({ httpStatus: 500 });
    expect(harness.store.appliedIndex).toBe(appliedIndex);
    expect(isTrusted(await leafFor('web'))).toBe(true);
  });

  it('takes unknown keys, as Consul does', async () => {
    await ca.start();
    await ca.configure(caRequest({ Bogus: 1 }));
    expect(readCaConfig(harness.reader())?.Config).toEqual({ Bogus: 1 });
  });

  it('written back with its key hidden keeps the key', async () => {
    await ca.start();
    const own = createCaHarness();
    const ownCa = own.createCa();
    await ownCa.start();
    const [record] = [...own.reader().scan(caProviderTable)];
    ownCa.stop();
    await ca.configure(caRequest({ PrivateKey: record?.PrivateKey }));
    const root = harness.activeRoot();
    await ca.configure(caRequest({ PrivateKey: '<hidden>', LeafCertTTL: '24h' }));
    expect(harness.activeRoot().ID).toBe(root.ID);
    expect(readCaConfig(harness.reader())?.Config).toEqual({ PrivateKey: record?.PrivateKey, LeafCertTTL: '24h' });
  });
});

describe('rotation (consul-facts P021, P022)', () => {
  const otherKey = caRequest({ PrivateKeyType: 'rsa', PrivateKeyBits: 2048 });

  it('makes the new root active, keeps the old one, and carries leaves over by a cross-signed root', async () => {
    await ca.start();
    const old = harness.activeRoot();
    const oldLeaf = await leafFor('web');
    await harness.clock.advance(1000);
    const index = await ca.configure(otherKey);
    const next = harness.activeRoot();
    expect(next).toMatchObject({ PrivateKeyType: 'rsa', PrivateKeyBits: 2048, ModifyIndex: index, CreateIndex: index });
    expect(next.IntermediateCerts?.length).toBe(1);
    expect(harness.roots().find((root) => root.ID === old.ID)).toMatchObject({
      Active: false,
      RotatedOutAt: '2026-01-01T00:00:01Z',
      CreateIndex: old.CreateIndex,
      ModifyIndex: index,
    });
    const chain = await leafFor('web');
    expect(chain.length).toBe(2);
    expect([isTrusted(chain, old.RootCert), isTrusted(chain, next.RootCert), isTrusted(oldLeaf, old.RootCert)]).toEqual([true, true, true]);
  });

  it('forgets the old key', async () => {
    await ca.start();
    await ca.configure(otherKey);
    expect(providerRecords()).toBe(1);
  });

  it('drops the old root after twice the life of a leaf, not before', async () => {
    await ca.start();
    await ca.configure(otherKey);
    await harness.clock.advance(6 * DAY_MS);
    expect(harness.roots().length).toBe(2);
    await harness.clock.advance(2 * HOUR_MS);
    expect(harness.roots().map((root) => root.Active)).toEqual([true]);
  });

  it('drops the cross-signed root from chains once it has expired', async () => {
    await ca.start();
    await ca.configure(otherKey);
    await harness.clock.advance(7 * DAY_MS + HOUR_MS);
    expect(harness.activeRoot().IntermediateCerts).toBeNull();
    const chain = await leafFor('web');
    expect([chain.length, isTrusted(chain)]).toEqual([1, true]);
  });

  it('is refused without cross-signing unless it is forced', async () => {
    await ca.start();
    await ca.configure(caRequest({ DisableCrossSigning: true }));
    const before = harness.activeRoot();
    await expect(ca.configure(otherKey)).rejects.toThrow('The current CA Provider does not support cross-signing.');
    expect(harness.activeRoot()).toEqual(before);
    expect(providerRecords()).toBe(1);
    await ca.configure({ ...otherKey, ForceWithoutCrossSigning: true });
    expect(harness.activeRoot().IntermediateCerts).toBeNull();
    expect(isTrusted(await leafFor('web'))).toBe(true);
  });

  it('that fails in consensus leaves everything as it was, the key of the active root included', async () => {
    await ca.start();
    const before = harness.roots();
    harness.failing.add(CA_SET_ROOTS_AND_CONFIG);
    await expect(ca.configure(otherKey)).rejects.toThrow(LictorError);
    expect(harness.roots()).toEqual(before);
    expect(providerRecords()).toBe(1);
    harness.failing.clear();
    expect(isTrusted(await leafFor('web'))).toBe(true);
    await ca.configure(otherKey);
    expect(harness.activeRoot().PrivateKeyType).toBe('rsa');
  });

  it('and a change of lifetimes that fails in consensus does not take the active root with it', async () => {
    await ca.start();
    harness.failing.add(CA_SET_CONFIG);
    await expect(ca.configure(caRequest({ LeafCertTTL: '24h' }))).rejects.toThrow(LictorError);
    expect(providerRecords()).toBe(1);
    expect(isTrusted(await leafFor('web'))).toBe(true);
  });

  it('runs one at a time', async () => {
    await ca.start();
    await Promise.all([ca.configure(otherKey), ca.configure(caRequest({ PrivateKeyBits: 384 }))]);
    expect(harness.activeRoot()).toMatchObject({ PrivateKeyType: 'ec', PrivateKeyBits: 384 });
    expect(harness.roots().filter((root) => root.Active).length).toBe(1);
    expect(harness.roots().length).toBe(3);
  });
});

describe('renewal of the root before it expires (design.md 7.7)', () => {
  it('is a rotation that nobody had to ask for', async () => {
    ca = harness.createCa({ caConfig: caRequest({ LeafCertTTL: '1h', IntermediateCertTTL: '24h', RootCertTTL: '240h' }) });
    await ca.start();
    const old = harness.activeRoot();
    await harness.clock.advance(215 * HOUR_MS);
    expect(harness.activeRoot().ID).toBe(old.ID);
    await harness.clock.advance(3 * HOUR_MS);
    // Keys are made on other threads, which no fake clock moves.
    await vi.waitFor(() => expect(harness.activeRoot().ID).not.toBe(old.ID));
    const next = harness.activeRoot();
    expect(readCaConfig(harness.reader())?.State).toEqual({ RootGeneration: '1' });
    const chain = await leafFor('web');
    expect([isTrusted(chain, old.RootCert), isTrusted(chain, next.RootCert)]).toEqual([true, true]);
    ca.stop();
    ca = harness.createCa();
    await ca.start();
    expect(harness.activeRoot().ID).toBe(next.ID);
  });

  it('warns in time and shows the expiry, and shows none when it no longer leads (P031)', async () => {
    ca = harness.createCa({ caConfig: caRequest({ LeafCertTTL: '1h', IntermediateCertTTL: '24h', RootCertTTL: '240h' }) });
    await ca.start();
    expect(harness.gauges.get('mesh.active-root-ca.expiry')).toBe(240 * 3600);
    await harness.clock.advance(150 * HOUR_MS);
    expect(harness.logger.lines.map((line) => line.message)).toContain('root certificate will expire soon');
    ca.stop();
    expect(harness.gauges.get('mesh.active-root-ca.expiry')).toBeNaN();
  });

  it('gives no leaf a longer life than its root, and none at all after it', async () => {
    ca = harness.createCa({ caConfig: caRequest({ RootCertTTL: '8760h', CSRMaxPerSecond: 0 }) });
    await ca.start();
    harness.clock.jumpWallClock(364 * DAY_MS);
    const [leaf = Buffer.alloc(0)] = await leafFor('web');
    expect(parseCertificate(leaf).notAfterMs).toBe(Date.parse(harness.activeRoot().NotAfter));
    harness.clock.jumpWallClock(2 * DAY_MS);
    await expect(leafFor('web')).rejects.toThrow('root expired: certificate expired');
  });

  it('after the expiry an operator can still rotate', async () => {
    ca = harness.createCa({ caConfig: caRequest({ RootCertTTL: '8760h' }) });
    await ca.start();
    harness.clock.jumpWallClock(366 * DAY_MS);
    await ca.configure(caRequest({ PrivateKeyBits: 384 }));
    expect(isTrusted(await leafFor('web'))).toBe(true);
  });
});

describe('signing (consul-facts P024, P026)', () => {
  it('answers the leaf with its chain and a log index', async () => {
    await ca.start();
    const { index, value } = await ca.sign(await harness.csr(harness.serviceId('web')), allowAll);
    expect(value).toMatchObject({
      Service: 'web',
      ServiceURI: `spiffe://${harness.trustDomain()}/ns/default/dc/dc1/svc/web`,
      ValidAfter: '2025-12-31T23:59:00Z',
      ValidBefore: '2026-01-03T23:59:00Z',
      CreateIndex: index,
      ModifyIndex: index,
    });
    expect(value.SerialNumber).toMatch(/^[0-9a-f]{2}(:[0-9a-f]{2})*$/);
    expect(value).not.toHaveProperty('PrivateKeyPEM');
    expect(index).toBeLessThanOrEqual(harness.store.appliedIndex);
  });

  it('never gives a serial twice', async () => {
    await ca.start();
    const serials = new Set<string>();
    for (let count = 0; count < 20; count++) {
      serials.add(parseCertificate((await leafFor('web'))[0] ?? Buffer.alloc(0)).serialHex);
      await harness.clock.advance(1000);
    }
    serials.add(parseCertificate(harness.activeRoot().RootCert).serialHex);
    expect(serials.size).toBe(21);
  });

  it('asks for service:write and node:write (P024)', async () => {
    await ca.start();
    const asked: string[] = [];
    const denyAll: Authorizer = {
      accessorId: 'a',
      allows: (resource, segment, access) => {
        asked.push(`${resource} ${segment} ${access}`);
        return false;
      },
      allowsPrefix: () => false,
      allowsAny: () => false,
    };
    const agent = { kind: 'agent', trustDomain: 'dummy.consul', partition: 'default', datacenter: 'dc1', node: 'n1' } as const;
    await expect(ca.sign(await harness.csr(harness.serviceId('web')), denyAll)).rejects.toMatchObject({ code: 'permission-denied' });
    await expect(ca.sign(await harness.csr(agent), denyAll)).rejects.toMatchObject({ code: 'permission-denied' });
    expect(asked).toEqual(['service web write', 'node n1 write']);
  });

  it('puts its own trust domain into agents, which ask before they know it', async () => {
    await ca.start();
    const agent = { kind: 'agent', trustDomain: 'dummy.consul', partition: 'default', datacenter: 'dc1', node: 'n1' } as const;
    const { value } = await ca.sign(await harness.csr(agent), allowAll);
    expect(value).toMatchObject({ Agent: 'n1', AgentURI: `spiffe://${harness.trustDomain()}/agent/client/dc/dc1/id/n1` });
  });

  it('CVE-2021-37219: lets an agent have the names of its host, and none that a server answers to', async () => {
    await ca.start();
    const agent = { kind: 'agent', trustDomain: 'dummy.consul', partition: 'default', datacenter: 'dc1', node: 'n1' } as const;
    const key = await generatePrivateKey();
    const request = (dnsName: string, ip: string): string => createCsr({ id: agent, key, dnsNames: [dnsName], ips: [ip] });
    const { value } = await ca.sign(request('localhost', '127.0.0.1'), allowAll);
    expect(parseCertificate(value.CertPEM)).toMatchObject({ dnsNames: ['localhost'], ips: ['127.0.0.1'] });
    await harness.clock.advance(1_000);
    const { value: named } = await ca.sign(request('n1.node.dc1.consul', '10.0.0.1'), allowAll);
    expect(parseCertificate(named.CertPEM)).toMatchObject({ dnsNames: ['n1.node.dc1.consul'], ips: ['10.0.0.1'] });
    const ofPeering = `x.peering.${harness.trustDomain()}`;
    for (const name of [
      'server.dc1.consul',
      'SERVER.dc1.consul',
      'n1.server.dc1.consul',
      '*.dc1.consul',
      'n1..consul',
      'n1/x',
      ofPeering,
    ]) {
      await expect(ca.sign(request(name, '::1'), allowAll)).rejects.toThrow(`DNS name that is not allowed: ${name}`);
    }
    const service = { id: harness.serviceId('web'), key };
    await expect(ca.sign(createCsr({ ...service, dnsNames: ['localhost'] }), allowAll)).rejects.toThrow('not allowed: localhost');
    await expect(ca.sign(createCsr({ ...service, ips: ['127.0.0.1'] }), allowAll)).rejects.toThrow('not allowed: 127.0.0.1');
    await expect(ca.sign(createCsr({ id: { ...agent, datacenter: 'dc2' }, key }), allowAll)).rejects.toThrow('different datacenter: dc2');
  });

  it.each([
    ['another datacenter', { datacenter: 'dc2' }, 'SPIFFE ID in CSR from a different datacenter: dc2, we are dc1'],
    ['another trust domain', { trustDomain: 'other.consul' }, 'SPIFFE ID in CSR from a different trust domain: other.consul, we are '],
    ['another partition', { partition: 'team' }, 'SPIFFE ID in CSR from a different partition: team'],
    ['another namespace', { namespace: 'team' }, 'SPIFFE ID in CSR from a different namespace: team'],
  ])('CVE-2022-40716: refuses an id of %s', async (_, change, message) => {
    await ca.start();
    const id = { ...harness.serviceId('web'), ...change };
    const signing = ca.sign(await harness.csr(id), allowAll);
    await expect(signing).rejects.toThrow(message);
    await expect(signing).rejects.toMatchObject({ code: 'invalid-argument' });
  });

  it('refuses to sign a CA id, and garbage', async () => {
    await ca.start();
    const signing = { kind: 'signing', trustDomain: harness.trustDomain() } as const;
    await expect(ca.sign(await harness.csr(signing), allowAll)).rejects.toThrow('must be a service, mesh-gateway, or agent ID');
    await expect(ca.sign('garbage', allowAll)).rejects.toThrow('no PEM-encoded data found');
  });
});

describe('rate limits (consul-facts P025)', () => {
  it('of less than two a second refuse the second request at once', async () => {
    await ca.start();
    await ca.configure(caRequest({ CSRMaxPerSecond: 0.2 }));
    await leafFor('web');
    const second = leafFor('web');
    await expect(second).rejects.toThrow('Rate limit reached, try again later');
    await expect(second).rejects.toMatchObject({ code: 'rate-limited', httpStatus: 429 });
    await harness.clock.advance(5000);
    expect(isTrusted(await leafFor('web'))).toBe(true);
  });
});

describe('a provider of another kind, which signs by an intermediate', () => {
  beforeEach(async () => {
    ca = harness.createCa({}, (dependencies) => new Map([['consul', () => new IntermediateProvider(dependencies)]]));
    await ca.start();
  });

  it('has its intermediate in every chain, and its key as the signing key', async () => {
    const [pem = ''] = harness.activeRoot().IntermediateCerts ?? [];
    const intermediate = parseCertificate(pem);
    expect(harness.activeRoot().SigningKeyID).toBe(colonHex(intermediate.subjectKeyId ?? Buffer.alloc(0)));
    const chain = await leafFor('web');
    expect([chain.length, isTrusted(chain)]).toEqual([2, true]);
  });

  it('keeps the intermediate last behind the cross-signed root of a rotation', async () => {
    const old = harness.activeRoot();
    await ca.configure(caRequest({ PrivateKeyBits: 384 }));
    expect(harness.activeRoot().IntermediateCerts?.length).toBe(2);
    const chain = await leafFor('web');
    expect([isTrusted(chain, old.RootCert), isTrusted(chain)]).toEqual([true, true]);
  });

  it('is not asked to sign once the root has expired', async () => {
    harness.clock.jumpWallClock(3651 * DAY_MS);
    await expect(leafFor('web')).rejects.toThrow('root expired: certificate expired');
  });
});
