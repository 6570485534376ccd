import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readActiveRoot, readCaConfig, readCaRoots } from '../../connect-ca/state.ts';
import { caProviderTable, caRootsTable } from '../../state/tables/connect-ca.ts';
import { createTestStore } from '../../testing/store.ts';
import {
  CA_DELETE_PROVIDER_RECORD,
  CA_LEAF_ISSUED,
  CA_NEXT_SERIAL,
  CA_SET_CONFIG,
  CA_SET_PROVIDER_RECORD,
  CA_SET_ROOTS,
  CA_SET_ROOTS_AND_CONFIG,
  type CaConfigFields,
  type CaRootFields,
  caRootsIndex,
  connectCaCommands,
} from './connect-ca.ts';

const CONFIG: CaConfigFields = {
  Provider: 'consul',
  Config: { LeafCertTTL: '72h' },
  State: null,
  ForceWithoutCrossSigning: false,
  ClusterID: 'c1',
};

function root(id: string, isActive: boolean): CaRootFields {
  return {
    ID: id,
    Name: 'Consul CA Primary Cert',
    SerialNumber: 7,
    SigningKeyID: 'aa',
    ExternalTrustDomain: 'c1',
    NotBefore: '2026-01-01T00:00:00Z',
    NotAfter: '2036-01-01T00:00:00Z',
    RootCert: 'PEM',
    IntermediateCerts: null,
    Active: isActive,
    PrivateKeyType: 'ec',
    PrivateKeyBits: 256,
  };
}

describe('roots and configuration', () => {
  it('change together or not at all', () => {
    const db = createTestStore(connectCaCommands);
    db.apply(CA_SET_ROOTS_AND_CONFIG, { config: CONFIG, configIndex: 0, roots: [root('a', true)], rootsIndex: 0 });
    const before = [readCaRoots(db.reader()), readCaConfig(db.reader())];
    const change = { config: { ...CONFIG, Config: {} }, configIndex: 99, roots: [root('b', true)], rootsIndex: caRootsIndex(db.reader()) };
    expect(() => db.apply(CA_SET_ROOTS_AND_CONFIG, change)).toThrow('could not atomically update roots and config');
    expect([readCaRoots(db.reader()), readCaConfig(db.reader())]).toEqual(before);
  });

  it('refuse to be changed on old facts', () => {
    const db = createTestStore(connectCaCommands);
    db.apply(CA_SET_ROOTS, { roots: [root('a', true)], rootsIndex: 0 });
    expect(() => db.apply(CA_SET_ROOTS, { roots: [root('b', true)], rootsIndex: 0 })).toThrow('could not atomically update');
    db.apply(CA_SET_CONFIG, { config: CONFIG, configIndex: 0 });
    expect(() => db.apply(CA_SET_CONFIG, { config: CONFIG, configIndex: 0 })).toThrow('could not atomically update');
    expect(readActiveRoot(db.reader())?.ID).toBe('a');
  });

  it('keep the cluster id for ever', () => {
    const db = createTestStore(connectCaCommands);
    db.apply(CA_SET_CONFIG, { config: CONFIG, configIndex: 0 });
    db.apply(CA_SET_CONFIG, { config: { ...CONFIG, ClusterID: 'c2' }, configIndex: readCaConfig(db.reader())?.ModifyIndex });
    expect(readCaConfig(db.reader())?.ClusterID).toBe('c1');
  });

  it('have exactly one active root, each with an id', () => {
    const db = createTestStore(connectCaCommands);
    for (const roots of [[], [root('a', false)], [root('a', true), root('b', true)]]) {
      expect(() => db.apply(CA_SET_ROOTS, { roots, rootsIndex: 0 })).toThrow('there must be exactly one active CA');
    }
    expect(() => db.apply(CA_SET_ROOTS, { roots: [root('', true)], rootsIndex: 0 })).toThrow('Missing CA root ID');
  });

  it('are replaced as a whole: the CreateIndex of what stays is kept, what is not named goes', () => {
    const db = createTestStore(connectCaCommands);
    db.apply(CA_SET_ROOTS, { roots: [root('a', true)], rootsIndex: 0 });
    db.apply(CA_SET_ROOTS, { roots: [root('a', false), root('b', true)], rootsIndex: 1 });
    expect(readCaRoots(db.reader()).map(({ ID, CreateIndex, ModifyIndex }) => [ID, CreateIndex, ModifyIndex])).toEqual([
      ['a', 1, 2],
      ['b', 2, 2],
    ]);
    db.apply(CA_SET_ROOTS, { roots: [root('b', true)], rootsIndex: 2 });
    expect([...db.reader().scan(caRootsTable)].map((row) => row.ID)).toEqual(['b']);
  });
});

describe('counters', () => {
  it('give serials from the log index on, each once', () => {
    const db = createTestStore(connectCaCommands);
    db.apply(CA_LEAF_ISSUED, {});
    db.apply(CA_LEAF_ISSUED, {});
    const first = db.apply<number>(CA_NEXT_SERIAL, {});
    db.apply(CA_LEAF_ISSUED, {});
    expect([first, db.apply<number>(CA_NEXT_SERIAL, {}), db.apply<number>(CA_NEXT_SERIAL, {})]).toEqual([3, 4, 5]);
  });
});

describe('provider records', () => {
  it('are kept by id until they are deleted', () => {
    const db = createTestStore(connectCaCommands);
    db.apply(CA_SET_PROVIDER_RECORD, { id: 'x', privateKey: 'key', rootCert: 'PEM' });
    expect(db.reader().get(caProviderTable, 'x')).toMatchObject({ PrivateKey: 'key', RootCert: 'PEM' });
    db.apply(CA_DELETE_PROVIDER_RECORD, { id: 'x' });
    expect(db.reader().get(caProviderTable, 'x')).toBeUndefined();
  });
});

describe('hostile bodies', () => {
  it('are refused, never thrown at, and change nothing', () => {
    const db = createTestStore(connectCaCommands);
    const types = Object.keys(connectCaCommands).filter((type) => type !== CA_NEXT_SERIAL && type !== CA_LEAF_ISSUED);
    const fields = fc.record(
      {
        config: fc.anything(),
        configIndex: fc.anything(),
        roots: fc.anything(),
        rootsIndex: fc.anything(),
        id: fc.constantFrom('', 1, null),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.constantFrom(...types), fc.oneof(fields, fc.jsonValue()), (type, body) => {
        const safe: unknown = JSON.parse(JSON.stringify(body ?? null));
        // The codec refuses some of them before any handler does: `__proto__` as a key.
        expect(() => db.apply(type, safe)).toThrow(/^malformed (command|log entry)|^there must be exactly one active CA$/);
      }),
      { numRuns: 300 },
    );
    expect([...db.reader().scan(caRootsTable)]).toEqual([]);
  });
});
