import { describe, expect, it } from 'vitest';
import { type MemberRecord, MemberTable } from './member-table.ts';

function record(id: string, fields: Partial<MemberRecord> = {}): MemberRecord {
  const addresses = { rpcAddress: `${id}:8300` };
  const rest = { datacenter: 'dc1', bootstrapExpect: 3, isBootstrap: false, version: '1.21.0', grpcPort: 0, grpcTlsPort: 0, clusterId: '' };
  return { id, name: id, ...addresses, ...rest, incarnation: 1000, hasLeft: false, ...fields };
}

/** Both ways: what is said, and what is answered. */
function greet(from: MemberTable, to: MemberTable): void {
  expect(to.hear(from.greeting(), 0)).toBeUndefined();
  expect(from.hear(to.greeting(), 0)).toBeUndefined();
}

describe('a server that starts with a clock behind its earlier life’s', () => {
  it.each([{ clusterId: '' }, { clusterId: '', hasLeft: true }])('is believed again, after %o', (before) => {
    const other = new MemberTable(record('a'));
    other.hear({ from: record('b', before), known: [], alive: ['b'] }, 0);
    const again = new MemberTable(record('b', { incarnation: 500 }));
    greet(again, other);
    again.setSelf({ clusterId: 'c' });
    greet(again, other);
    expect(other.members(0).find(({ id }) => id === 'b')).toMatchObject({ clusterId: 'c', status: 'alive' });
  });

  it('does not follow an incarnation that leaves no room for another', () => {
    const table = new MemberTable(record('b'));
    table.hear({ from: record('a'), known: [record('b', { incarnation: Number.MAX_SAFE_INTEGER })], alive: ['a'] }, 0);
    expect(table.self.incarnation).toBe(1000);
  });
});
