import { Secret } from '@lictor/protocol';
import { FakeClock, seededRandom } from '@lictor/protocol/testing';
import { describe, expect, it } from 'vitest';
import { certificateFingerprint, parseCertificate } from '../../certificate/index.ts';
import { createCsr, parseCsr } from '../../csr/index.ts';
import { generatePrivateKey } from '../../keys/index.ts';
import { decodeFirstPem } from '../../pem/index.ts';
import { caProviderContract, createTestCa, MemoryCaStore, TEST_CLUSTER_ID } from '../../testing/index.ts';
import type { CaProviderState, RawCaConfig } from '../index.ts';
import { BuiltinCaProvider } from './provider.ts';

const DAY_MS = 24 * 3600_000;

async function configured(config: RawCaConfig = {}, store = new MemoryCaStore(), state: CaProviderState | null = null) {
  const clock = new FakeClock();
  const provider = new BuiltinCaProvider({ store, clock, random: seededRandom(1) });
  await provider.configure({ clusterId: TEST_CLUSTER_ID, datacenter: 'dc1', config, state });
  return { provider, clock, store };
}

describe('the provider contract', () => {
  const cases = caProviderContract(() => {
    const store = new MemoryCaStore();
    return {
      config: {},
      otherConfig: { PrivateKeyType: 'ec', PrivateKeyBits: 384 },
      create: (clock) => new BuiltinCaProvider({ store, clock, random: seededRandom(1) }),
    };
  });
  for (const { name, run } of cases) it(name, run);
});

describe('the built-in provider (consul-facts P001, P003, P017)', () => {
  it('makes a root of ten years whose serial comes from the counter', async () => {
    const { provider, clock } = await configured();
    const root = parseCertificate(await provider.generateRoot());
    expect(root.serialHex).toBe('07');
    expect(root.notBeforeMs).toBe(clock.now());
    expect(root.notAfterMs).toBe(clock.now() + 3650 * DAY_MS);
  });

  it('keeps its root when only lifetimes change, and makes another when the key type does, as Consul 1.21', async () => {
    const store = new MemoryCaStore();
    const root = await (await configured({}, store)).provider.generateRoot();
    expect(await (await configured({ LeafCertTTL: '24h' }, store)).provider.generateRoot()).toBe(root);
    expect(await (await configured({ PrivateKeyType: 'rsa', PrivateKeyBits: 2048 }, store)).provider.generateRoot()).not.toBe(root);
  });

  it('gives leaves their configured life, backdated by a minute', async () => {
    const { provider, clock } = await configured({ leaf_cert_ttl: '2h' });
    await provider.generateRoot();
    const id = { kind: 'server', trustDomain: `${TEST_CLUSTER_ID}.consul`, datacenter: 'dc1' } as const;
    const csr = parseCsr(createCsr({ id, key: await generatePrivateKey() }));
    const leaf = parseCertificate(await provider.sign({ csr, id }));
    expect(leaf.notBeforeMs).toBe(clock.now() - 60_000);
    expect(leaf.notAfterMs).toBe(clock.now() - 60_000 + 2 * 3600_000);
  });

  it('cross-signs for a week, longer when leaves live longer than half of it', async () => {
    const other = await createTestCa();
    const week = await configured();
    await week.provider.generateRoot();
    const bridge = parseCertificate(await week.provider.crossSign(other.signer.certificate));
    expect(bridge.notAfterMs).toBe(week.clock.now() - 60_000 + 7 * DAY_MS);
    const long = await configured({ LeafCertTTL: '720h' });
    await long.provider.generateRoot();
    const longBridge = parseCertificate(await long.provider.crossSign(other.signer.certificate));
    expect(longBridge.notAfterMs).toBe(long.clock.now() - 60_000 + 60 * DAY_MS);
  });

  it('uses a key and root that the operator brings, and has nothing to renew then', async () => {
    const own = await createTestCa();
    const { provider } = await configured({ PrivateKey: own.signer.key.pem.reveal(), RootCert: own.rootPem });
    const root = await provider.generateRoot();
    expect(certificateFingerprint(decodeFirstPem(root, 'CERTIFICATE'))).toBe(certificateFingerprint(own.signer.certificate.raw));
    expect(provider.renewalState()).toBeNull();
  });

  it('refuses a root that is for another key', async () => {
    const own = await createTestCa();
    const { pem } = await generatePrivateKey();
    await expect(async () => configured({ PrivateKey: pem.reveal(), RootCert: own.rootPem })).rejects.toThrow(
      'root cert is for a different private key',
    );
  });

  it('does not cross-sign when told so', async () => {
    const { provider } = await configured({ DisableCrossSigning: true });
    await provider.generateRoot();
    expect(provider.supportsCrossSigning()).toBe(false);
    await expect(provider.crossSign((await createTestCa()).signer.certificate)).rejects.toThrow('cross-signing disabled');
  });

  it('keeps its key as a secret that does not print', async () => {
    const { provider, store } = await configured();
    await provider.generateRoot();
    const [record] = store.records.values();
    expect(record?.privateKey).toBeInstanceOf(Secret);
    expect(JSON.stringify(record)).not.toContain('PRIVATE KEY');
  });

  it('passes test_state of its configuration through as its state, and keeps it beside the generation of its root', async () => {
    const { provider } = await configured({ test_state: { foo: 'bar', RootGeneration: '7', n: 1 } });
    expect(provider.state()).toEqual({ foo: 'bar' });
    const renewed = await configured({}, new MemoryCaStore(), provider.renewalState());
    expect(renewed.provider.state()).toEqual({ foo: 'bar', RootGeneration: '1' });
    expect((await configured({ test_state: 'x' })).provider.state()).toBeNull();
  });
});
