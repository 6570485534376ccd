import { allowAll, type Authorizer } from '@lictor/mesh';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createCaHarness, type CaHarness, caRequest } from '../../connect-ca/testing/harness.ts';
import type { ConnectCa } from '../../connect-ca/index.ts';
import { caProviderTable } from '../../state/tables/connect-ca.ts';
import { createConnectCaReads, createConnectCaWrites } from './connect-ca.ts';

const reads = createConnectCaReads(true);

let harness: CaHarness;
let ca: ConnectCa;
beforeEach(() => {
  harness = createCaHarness();
  ca = harness.createCa();
});
afterEach(() => ca.stop());

const context = (authorizer: Authorizer = allowAll) => ({ authorizer, datacenter: 'dc1', noteFiltered: () => undefined });

function operator(access: 'read' | 'write'): Authorizer {
  return {
    ...allowAll,
    accessorId: 'a',
    allows: (resource, _, wanted) => resource === 'operator' && (access === 'write' || wanted === 'read'),
  };
}

describe('ConnectCA.Roots (consul-facts P014, observed 1.21)', () => {
  it('shows what Consul shows', async () => {
    await ca.start();
    const { Roots, ActiveRootID, TrustDomain } = reads['ConnectCA.Roots'](harness.reader(), {}, context());
    const [root] = Roots;
    expect(ActiveRootID).toBe(root?.ID);
    expect(TrustDomain).toBe(`${root?.ExternalTrustDomain}.consul`);
    expect(Object.keys(root ?? {}).toSorted()).toEqual(
      [
        ['ID', 'Name', 'SerialNumber', 'SigningKeyID', 'ExternalTrustDomain', 'NotBefore', 'NotAfter', 'RootCert', 'IntermediateCerts'],
        ['Active', 'PrivateKeyType', 'PrivateKeyBits', 'CreateIndex', 'ModifyIndex'],
      ]
        .flat()
        .toSorted(),
    );
    expect(root).toMatchObject({ IntermediateCerts: null, Active: true, NotBefore: '2026-01-01T00:00:00Z' });
    expect(root?.ID).toMatch(/^([0-9a-f]{2}:){19}[0-9a-f]{2}$/);
    expect(root?.SigningKeyID).toMatch(/^([0-9a-f]{2}:){31}[0-9a-f]{2}$/);
  });

  it('lists roots by id after a rotation, without the time of retirement', async () => {
    await ca.start();
    await ca.configure(caRequest({ PrivateKeyBits: 384 }));
    const { Roots } = reads['ConnectCA.Roots'](harness.reader(), {}, context());
    const ids = Roots.map((root) => root.ID);
    expect(ids).toEqual(ids.toSorted());
    expect(Roots.map((root) => 'RotatedOutAt' in root)).toEqual([false, false]);
    expect(Roots.find((root) => root.Active)?.IntermediateCerts?.length).toBe(1);
  });

  it('has an index that moves with roots and configuration only', async () => {
    await ca.start();
    const indexOf = (): number => {
      const reader = harness.reader();
      reads['ConnectCA.Roots'](reader, {}, context());
      return reader.resultIndex();
    };
    const before = indexOf();
    await ca.sign(await harness.csr(harness.serviceId('web')), allowAll);
    expect(indexOf()).toBe(before);
    expect(await ca.configure(caRequest({ LeafCertTTL: '24h' }))).toBe(indexOf());
    expect(indexOf()).toBeGreaterThan(before);
  });

  it('says so while there is no CA yet', () => {
    expect(() => reads['ConnectCA.Roots'](harness.reader(), {}, context())).toThrow('CA has not finished initializing');
  });
});

describe('ConnectCA.ConfigurationGet', () => {
  it('shows the configuration as it was given', async () => {
    await ca.start();
    await ca.configure(caRequest({ LeafCertTTL: '48h' }));
    expect(reads['ConnectCA.ConfigurationGet'](harness.reader(), {}, context())).toMatchObject({
      Provider: 'consul',
      Config: { LeafCertTTL: '48h' },
      State: null,
      ForceWithoutCrossSigning: false,
    });
  });

  it('CVE-2020-28053: shows no private key to anyone, and nothing to operator:read', async () => {
    await ca.start();
    const [generated] = [...harness.reader().scan(caProviderTable)];
    await ca.configure(caRequest({ private_key: generated?.PrivateKey }));
    const shown = JSON.stringify([
      reads['ConnectCA.ConfigurationGet'](harness.reader(), {}, context(operator('write'))),
      reads['ConnectCA.Roots'](harness.reader(), {}, context()),
      harness.logger.lines,
    ]);
    expect(shown).toContain('"private_key":"<hidden>"');
    expect(shown).not.toContain('PRIVATE KEY');
    expect(() => reads['ConnectCA.ConfigurationGet'](harness.reader(), {}, context(operator('read')))).toThrow('operator:write');
  });
});

describe('writes', () => {
  const writeContext = (authorizer: Authorizer) =>
    ({ ...harness.ports, authorizer, datacenter: 'dc1' }) satisfies Parameters<
      ReturnType<typeof createConnectCaWrites>['ConnectCA.Sign']
    >[1];

  it('of the configuration need operator:write', async () => {
    await ca.start();
    const write = createConnectCaWrites(ca)['ConnectCA.ConfigurationSet'];
    await expect(write(caRequest({}), writeContext(operator('read')))).rejects.toMatchObject({ code: 'permission-denied' });
    const { index } = await write(caRequest({ LeafCertTTL: '24h' }), writeContext(operator('write')));
    expect(index).toBe(harness.store.appliedIndex);
  });

  it('and reads are refused when Connect is off', async () => {
    const off = createConnectCaWrites(null);
    const message = 'Connect must be enabled in order to use this endpoint';
    await expect(off['ConnectCA.Sign']({ csr: '' }, writeContext(allowAll))).rejects.toThrow(message);
    await expect(off['ConnectCA.ConfigurationSet'](caRequest({}), writeContext(allowAll))).rejects.toThrow(message);
    expect(() => createConnectCaReads(false)['ConnectCA.Roots'](harness.reader(), {}, context())).toThrow(message);
  });
});
