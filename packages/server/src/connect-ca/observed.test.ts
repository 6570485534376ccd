import { createCsr, generatePrivateKey, splitPemBundle, TrustBundle, verifyPeer } from '@lictor/pki';
import type { CaRoots } from '@lictor/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTestServer, type TestServer } from '../testing/server.ts';
import { caRequest } from './testing/harness.ts';

let server: TestServer;
beforeEach(async () => {
  server = await createTestServer();
});
afterEach(() => server.stop());

const roots = async (): Promise<CaRoots> => (await server.port.call('ConnectCA.Roots', {})).value;
const configuration = async () => (await server.port.call('ConnectCA.ConfigurationGet', {})).value;
const set = (config: Readonly<Record<string, unknown>>, provider = 'consul') =>
  server.port.call('ConnectCA.ConfigurationSet', caRequest(config, { Provider: provider }));

describe('what real Consul 1.21 answered, in its order (observed group "ca")', () => {
  it('holds on a fresh server', async () => {
    const first = await roots();
    expect(first.Roots.length).toBe(1);
    expect((await configuration()).Config).toEqual({ IntermediateCertTTL: '8760h', LeafCertTTL: '72h', RootCertTTL: '87600h' });
    await set({ LeafCertTTL: '48h' });
    expect(await configuration()).toMatchObject({ Config: { LeafCertTTL: '48h' }, State: null, ForceWithoutCrossSigning: false });
    await expect(set({}, 'bogus')).rejects.toThrow('could not initialize provider: unknown CA provider "bogus"');
    await expect(set({ LeafCertTTL: '1m' })).rejects.toThrow(
      'error configuring provider: leaf cert TTL must be greater or equal than 1h0m0s',
    );
    await set({ Bogus: 1 });
    expect((await roots()).ActiveRootID).toBe(first.ActiveRootID);
    await set({ PrivateKeyType: 'rsa', PrivateKeyBits: 2048 });
    const rotated = await roots();
    expect(rotated.TrustDomain).toBe(first.TrustDomain);
    expect(rotated.Roots.find((root) => root.Active)).toMatchObject({ PrivateKeyType: 'rsa', PrivateKeyBits: 2048 });
    expect(rotated.Roots.find((root) => !root.Active)).toMatchObject({ ID: first.ActiveRootID, IntermediateCerts: null });
    await expect(set({ PrivateKeyType: 'ec', PrivateKeyBits: 2048 })).rejects.toThrow(
      'error configuring provider: EC key length must be one of (224, 256, 384, 521) bits',
    );
  });
});

describe('through the server', () => {
  it('a blocked read of the roots wakes with a rotation', async () => {
    const before = await server.port.call('ConnectCA.Roots', {});
    const waiting = server.port.call('ConnectCA.Roots', {}, { query: { minIndex: before.meta.index } });
    const { index } = await set({ PrivateKeyBits: 384 });
    const after = await waiting;
    expect(after.meta.index).toBe(index);
    expect(after.value.ActiveRootID).not.toBe(before.value.ActiveRootID);
  });

  it('a signed leaf verifies against the roots that it shows', async () => {
    const { TrustDomain: trustDomain, Roots } = await roots();
    const id = { kind: 'service', trustDomain, partition: 'default', namespace: 'default', datacenter: 'dc1', service: 'web' } as const;
    const csr = createCsr({ id, key: await generatePrivateKey() });
    const { value } = await server.port.call('ConnectCA.Sign', { csr });
    const [leafDer = Buffer.alloc(0), ...intermediatesDer] = splitPemBundle(value.CertPEM);
    const bundle = new TrustBundle([{ trustDomain, rootPems: Roots.map((root) => root.RootCert) }]);
    expect(verifyPeer({ leafDer, intermediatesDer, roots: bundle, nowMs: server.clock.now(), expected: id }).ok).toBe(true);
  });

  it('no endpoint has it when Connect is off', async () => {
    const off = await createTestServer({ connectEnabled: false });
    await expect(off.port.call('ConnectCA.Roots', {})).rejects.toThrow('Connect must be enabled in order to use this endpoint');
    await off.stop();
  });

  it('no key is left in any log line', async () => {
    await set({ PrivateKeyBits: 384 });
    await expect(set({ PrivateKey: '-----BEGIN EC PRIVATE KEY-----\nc2VjcmV0\n-----END EC PRIVATE KEY-----\n' })).rejects.toThrow(
      'cannot be read',
    );
    const lines = JSON.stringify(server.logger.lines);
    expect(lines).not.toContain('PRIVATE KEY');
    expect(lines).not.toContain('c2VjcmV0');
  });
});
