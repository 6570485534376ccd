import type { KvEntry, KvOperation, KvWrite } from '@lictor/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { kvTable } from '../../state/tables/kv.ts';
import { createTestServer, type TestServer } from '../../testing/index.ts';

let server: TestServer;

beforeEach(async () => {
  server = await createTestServer();
});

afterEach(() => server.stop());

async function apply(operation: KvOperation, key: string, rest: Partial<KvWrite> = {}): Promise<boolean> {
  const entry = { Key: key, Value: Buffer.alloc(0), Flags: 0, Session: '', ModifyIndex: 0, ...rest };
  return (await server.port.call('KVS.Apply', { operation, entry })).value;
}

async function get(key: string): Promise<KvEntry | null> {
  return (await server.port.call('KVS.Get', { key })).value;
}

async function keys(prefix: string, separator = ''): Promise<readonly string[]> {
  return (await server.port.call('KVS.ListKeys', { prefix, separator })).value;
}

async function session(fields: Record<string, unknown> = {}): Promise<string> {
  const request = { ID: '', Name: '', Node: 'server', Behavior: '', TTL: '', ...fields };
  return (await server.port.call('Session.Create', request)).value;
}

describe('KVS reads (observed: kv group)', () => {
  it('list in key order, and keys cut behind the first separator', async () => {
    for (const key of ['foo', 'dir/a', 'dir/b/c', 'dir/', 'sp ace/x']) await apply('set', key);
    expect(await keys('dir')).toEqual(['dir/', 'dir/a', 'dir/b/c']);
    expect(await keys('', '/')).toEqual(['dir/', 'foo', 'sp ace/']);
    expect(await keys('dir/', '/')).toEqual(['dir/', 'dir/a', 'dir/b/']);
    expect(await keys('none')).toEqual([]);
  });

  it('label a key with its ModifyIndex, a prefix with its newest, and what is not there with the table’s', async () => {
    await apply('set', 'dir/a');
    const { index } = await server.port.call('KVS.Apply', { operation: 'set', entry: write('dir/b') });
    const last = await server.port.call('KVS.Apply', { operation: 'set', entry: write('zz') });
    expect((await server.port.call('KVS.List', { prefix: 'dir' })).meta.index).toBe(index);
    expect((await server.port.call('KVS.Get', { key: 'dir/b' })).meta.index).toBe(index);
    expect((await server.port.call('KVS.Get', { key: 'nope' })).meta.index).toBe(last.index);
    expect((await server.port.call('KVS.List', { prefix: 'nope' })).meta.index).toBe(last.index);
    expect((await server.port.call('KVS.List', { prefix: '' })).meta.index).toBe(last.index);
  });

  it('keep flags beyond 2^53 exactly', async () => {
    for (const Flags of [0, 42, 2 ** 53 - 1, 2n ** 53n + 1n, 2n ** 64n - 1n]) {
      await apply('set', 'f', { Flags });
      expect((await get('f'))?.Flags).toBe(Flags);
    }
  });
});

describe('KVS.Apply', () => {
  it('creates with cas 0, changes with the current index, and refuses others (observed)', async () => {
    await apply('set', 'foo');
    expect(await apply('cas', 'foo', { ModifyIndex: 0 })).toBe(false);
    expect(await apply('cas', 'foo', { ModifyIndex: 999 })).toBe(false);
    expect(await apply('cas', 'new', { ModifyIndex: 0 })).toBe(true);
    expect(await apply('cas', 'none', { ModifyIndex: 7 })).toBe(false);
    const current = (await get('foo'))?.ModifyIndex ?? 0;
    expect(await apply('cas', 'foo', { ModifyIndex: current, Value: Buffer.from('z') })).toBe(true);
    expect((await get('foo'))?.CreateIndex).toBe(current);
  });

  it('deletes what is there or not, by index only the current one (observed)', async () => {
    await apply('set', 'foo');
    const { ModifyIndex = 0 } = (await get('foo')) ?? {};
    expect(await apply('delete-cas', 'foo', { ModifyIndex: 1 })).toBe(false);
    expect(await apply('delete-cas', 'foo', { ModifyIndex: 0 })).toBe(false);
    expect(await apply('delete-cas', 'foo', { ModifyIndex })).toBe(true);
    expect(await apply('delete-cas', 'foo', { ModifyIndex: 3 })).toBe(true);
    expect(await apply('delete', 'nope')).toBe(true);
    await apply('set', 'dir/a');
    await apply('set', 'dirt');
    expect(await apply('delete-tree', 'dir/')).toBe(true);
    expect(await keys('')).toEqual(['dirt']);
  });

  it('a write that changes nothing keeps the index and wakes nobody', async () => {
    await apply('set', 'a', { Value: Buffer.from('1'), Flags: 5 });
    const before = await get('a');
    await apply('set', 'a', { Value: Buffer.from('1'), Flags: 5 });
    expect(await get('a')).toEqual(before);
    await apply('set', 'a', { Value: Buffer.from('1'), Flags: 6 });
    expect((await get('a'))?.ModifyIndex).toBeGreaterThan(before?.ModifyIndex ?? 0);
  });

  it('needs a key', async () => {
    await expect(apply('set', '')).rejects.toMatchObject({ code: 'rejected', message: 'Must provide key' });
  });

  it('wakes a prefix watch when a key below it is deleted (consul-facts O008)', async () => {
    await apply('set', 'dir/a');
    await apply('set', 'dir/b');
    const { meta } = await server.port.call('KVS.List', { prefix: 'dir/' });
    const blocked = server.port.call('KVS.List', { prefix: 'dir/' }, { query: { minIndex: meta.index } });
    const { index } = await server.port.call('KVS.Apply', { operation: 'delete', entry: write('dir/b') });
    const reply = await blocked;
    expect(reply.value.map((entry) => entry.Key)).toEqual(['dir/a']);
    expect(reply.meta.index).toBe(index);
  });

  it('forgets deletions after 15 minutes (consul-facts O008)', async () => {
    await apply('set', 'dir/a');
    const { index: written } = (await server.port.call('KVS.Get', { key: 'dir/a' })).meta;
    await apply('set', 'dir/b');
    const { index: deleted } = await server.port.call('KVS.Apply', { operation: 'delete', entry: write('dir/b') });
    const label = (): number => {
      const reader = server.store.reader();
      reader.scan(kvTable, 'dir/');
      return reader.resultIndex();
    };
    await server.clock.advance(15 * 60_000 - 1);
    expect(label()).toBe(deleted);
    await server.clock.advance(90_000);
    expect(label()).toBe(written);
    expect(server.store.tombstoneCount).toBe(0);
  });
});

describe('locks (observed: session group)', () => {
  it('are taken, held again, refused to others, and given back', async () => {
    const [mine, other] = [await session(), await session()];
    expect(await apply('lock', 'lock', { Session: mine, Value: Buffer.from('held') })).toBe(true);
    expect(await apply('lock', 'lock', { Session: mine, Value: Buffer.from('again') })).toBe(true);
    expect(await apply('lock', 'lock', { Session: other })).toBe(false);
    expect(await get('lock')).toMatchObject({ LockIndex: 1, Session: mine });
    expect(await apply('unlock', 'lock', { Session: other })).toBe(false);
    expect(await apply('unlock', 'lock', { Session: mine, Value: Buffer.from('rel') })).toBe(true);
    expect(await get('lock')).toMatchObject({ LockIndex: 1, Session: '' });
    expect(await apply('lock', 'lock', { Session: other })).toBe(true);
    expect(await get('lock')).toMatchObject({ LockIndex: 2, Session: other });
  });

  it('need a session that exists', async () => {
    await expect(apply('lock', 'foo', { Session: 'nope' })).rejects.toMatchObject({ message: 'raft apply failed: invalid session "nope"' });
    await expect(apply('lock', 'foo')).rejects.toMatchObject({ message: 'raft apply failed: missing session' });
    await expect(apply('unlock', 'foo')).rejects.toMatchObject({ message: 'raft apply failed: missing session' });
    expect(await get('foo')).toBeNull();
  });

  it('survive a plain write, with the fencing token', async () => {
    const mine = await session();
    await apply('lock', 'lock', { Session: mine });
    await apply('set', 'lock', { Value: Buffer.from('x') });
    expect(await get('lock')).toMatchObject({ LockIndex: 1, Session: mine });
  });

  it('cannot be taken for the lock delay after the session ended (consul-facts T011)', async () => {
    const [mine, other] = [await session({ LockDelay: 15_000 }), await session()];
    await apply('lock', 'lock', { Session: mine });
    await server.port.call('Session.Destroy', { id: mine });
    expect(await get('lock')).toMatchObject({ LockIndex: 1, Session: '' });
    expect(await apply('lock', 'lock', { Session: other })).toBe(false);
    await server.clock.advance(14_999);
    expect(await apply('lock', 'lock', { Session: other })).toBe(false);
    await server.clock.advance(1);
    expect(await apply('lock', 'lock', { Session: other })).toBe(true);
  });

  it('can be taken at once without a lock delay, and when a clock was set back further than any delay', async () => {
    const [first, second, third] = [await session({ LockDelay: 0 }), await session({ LockDelay: 60_000 }), await session()];
    await apply('lock', 'lock', { Session: first });
    await server.port.call('Session.Destroy', { id: first });
    expect(await apply('lock', 'lock', { Session: second })).toBe(true);
    await server.port.call('Session.Destroy', { id: second });
    server.clock.jumpWallClock(-3600_000);
    expect(await apply('lock', 'lock', { Session: third })).toBe(true);
  });
});

function write(Key: string): KvWrite {
  return { Key, Value: Buffer.alloc(0), Flags: 0, Session: '', ModifyIndex: 0 };
}
