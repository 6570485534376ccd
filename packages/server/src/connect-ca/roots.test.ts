import { createTestCa, TEST_CLUSTER_ID } from '@lictor/pki/testing';
import type { CaRoot } from '@lictor/protocol';
import { describe, expect, it } from 'vitest';
import type { CaRootFields } from '../fsm/commands/connect-ca.ts';
import { createCaRoot, pruneRoots, rotateRoots } from './roots.ts';

const NOW_MS = Date.UTC(2026, 0, 1);
const HOUR_MS = 3600_000;
const row = (fields: CaRootFields): CaRoot => ({ ...fields, CreateIndex: 1, ModifyIndex: 1 });

async function rootRow(): Promise<CaRootFields> {
  const { rootPem } = await createTestCa();
  return createCaRoot(rootPem.trimEnd(), 'consul', TEST_CLUSTER_ID);
}

describe('a row of the roots table', () => {
  it('has ids as colon-hex and PEM that ends with a newline (consul-facts P013, P014)', async () => {
    const root = await rootRow();
    expect(root).toMatchObject({ SerialNumber: 7, NotBefore: '2026-01-01T00:00:00Z', PrivateKeyType: 'ec', PrivateKeyBits: 256 });
    expect(root.ID).toMatch(/^([0-9a-f]{2}:){19}[0-9a-f]{2}$/);
    expect(root.RootCert.endsWith('-----END CERTIFICATE-----\n')).toBe(true);
  });
});

describe('retired roots', () => {
  it('stay for twice the life of a leaf', async () => {
    const [old, next] = [await rootRow(), await rootRow()];
    const roots = rotateRoots([row(old)], next, NOW_MS).map(row);
    expect(pruneRoots(roots, HOUR_MS, NOW_MS + 2 * HOUR_MS).length).toBe(2);
    expect(pruneRoots(roots, HOUR_MS, NOW_MS + 2 * HOUR_MS + 1).map((root) => root.ID)).toEqual([next.ID]);
  });

  it('keep the time of their first retirement, and come back as one row when they are active again', async () => {
    const [a, b] = [await rootRow(), await rootRow()];
    const toB = rotateRoots([row(a)], b, NOW_MS).map(row);
    const toA = rotateRoots(toB, a, NOW_MS + HOUR_MS).map(row);
    expect(toA.map((root) => [root.ID, root.Active, root.RotatedOutAt])).toEqual([
      [b.ID, false, '2026-01-01T01:00:00Z'],
      [a.ID, true, undefined],
    ]);
  });

  it('the active one stays however old it is', async () => {
    const root = row(await rootRow());
    expect(pruneRoots([root], HOUR_MS, NOW_MS + 1e12)).toEqual([root]);
  });
});
