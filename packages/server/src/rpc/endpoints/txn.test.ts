import type { Authorizer } from '@lictor/mesh';
import type { KvWrite, TxnOperation, TxnReply } from '@lictor/protocol';
import { afterEach, describe, expect, it } from 'vitest';
import { NO_PROXY } from '../../fsm/catalog/rows.ts';
import { createTestServer, type TestServer } from '../../testing/index.ts';

const servers: TestServer[] = [];

async function start(authorizer?: Authorizer): Promise<TestServer> {
  const server = await createTestServer({}, authorizer === undefined ? {} : { resolveToken: () => authorizer });
  servers.push(server);
  return server;
}

afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
});

type KvVerb = Extract<TxnOperation, { readonly KV: object }>['KV']['Verb'];

function kv(Verb: KvVerb, Key: string, rest: Partial<KvWrite> = {}): TxnOperation {
  return { KV: { Verb, Key, Value: Buffer.alloc(0), Flags: 0, Session: '', ModifyIndex: 0, ...rest } };
}

async function apply(server: TestServer, ...operations: TxnOperation[]): Promise<TxnReply> {
  return (await server.port.call('Txn.Apply', { operations })).value;
}

async function read(server: TestServer, ...operations: TxnOperation[]): Promise<TxnReply> {
  return (await server.port.call('Txn.Read', { operations })).value;
}

function failure(What: string, OpIndex = 0): TxnReply {
  return { Results: [], Errors: [{ OpIndex, What }] };
}

describe('transactions (observed: txn group)', () => {
  it('see their own writes, whose results come without value', async () => {
    const server = await start();
    const Value = Buffer.from('1');
    const reply = await apply(server, kv('set', 't/a', { Value, Flags: 7 }), kv('get', 't/a'), kv('get-tree', 't/'));
    const index = server.consensus.appliedIndex;
    const row = { LockIndex: 0, Key: 't/a', Flags: 7, Session: '', CreateIndex: index, ModifyIndex: index };
    expect(reply).toEqual({ Results: [{ KV: { ...row, Value: null } }, { KV: { ...row, Value } }, { KV: { ...row, Value } }], Errors: [] });
  });

  it('apply all or nothing, and tell every error', async () => {
    const server = await start();
    await apply(server, kv('set', 't/a'));
    const before = server.store.reader().appliedIndex;
    const reply = await apply(server, kv('set', 't/b'), kv('check-index', 't/a', { ModifyIndex: 1 }), kv('get', 't/none'));
    expect(reply.Results).toEqual([]);
    expect(reply.Errors).toEqual([
      { OpIndex: 1, What: `failed index check for key "t/a", current modify index ${before} != 1` },
      { OpIndex: 2, What: `key "t/none" doesn't exist` },
    ]);
    expect((await server.port.call('KVS.Get', { key: 't/b' })).value).toBeNull();
  });

  it.each<[TxnOperation, string]>([
    [kv('get', 't/none'), `key "t/none" doesn't exist`],
    [kv('check-not-exists', 't/a'), 'key "t/a" exists'],
    [kv('check-session', 't/a', { Session: 'x' }), 'failed session check for key "t/a", current session "" != "x"'],
    [kv('check-session', 't/none', { Session: 'x' }), `failed to check session, key "t/none" doesn't exist`],
    [kv('check-index', 't/none', { ModifyIndex: 1 }), `failed to check index, key "t/none" doesn't exist`],
  ])('reading, refuse %j', async (operation, what) => {
    const server = await start();
    await apply(server, kv('set', 't/a'));
    expect(await read(server, operation)).toEqual(failure(what));
  });

  it.each<[TxnOperation, string]>([
    [kv('cas', 't/a', { ModifyIndex: 1 }), 'failed to set key "t/a", index is stale'],
    [kv('delete-cas', 't/a', { ModifyIndex: 1 }), 'failed to delete key "t/a", index is stale'],
    [kv('lock', 't/a', { Session: 'x' }), 'invalid session "x"'],
    [kv('unlock', 't/a', { Session: 'x' }), `failed to unlock key "t/a", lock isn't held, or is held by another session`],
    [kv('bogus' as 'set', 'a'), 'unknown KV operation: bogus'],
    [kv('set', ''), 'Must provide key'],
    [{} as TxnOperation, 'unknown operation type'],
  ])('writing, refuse %j', async (operation, what) => {
    const server = await start();
    await apply(server, kv('set', 't/a'));
    const { appliedIndex } = server.consensus;
    expect(await apply(server, operation)).toEqual(failure(what));
    expect((await server.port.call('KVS.Get', { key: 't/a' })).meta.index).toBe(appliedIndex);
  });

  it('answer get-or-empty with an entry without value', async () => {
    const server = await start();
    const empty = { LockIndex: 0, Key: 'none', Flags: 0, Value: null, Session: '', CreateIndex: 0, ModifyIndex: 0 };
    expect(await read(server, kv('get-or-empty', 'none'))).toEqual({ Results: [{ KV: empty }], Errors: [] });
  });

  it('delete trees and locked keys as the single operations do', async () => {
    const server = await start();
    await apply(server, kv('set', 't/a'), kv('set', 't/b'));
    expect(await apply(server, kv('delete-tree', 't/'))).toEqual({ Results: [], Errors: [] });
    expect((await server.port.call('KVS.ListKeys', { prefix: 't', separator: '' })).value).toEqual([]);
  });

  it('refuse a lock during the lock delay', async () => {
    const server = await start();
    const sessions = await Promise.all(
      [1, 2].map(() => server.port.call('Session.Create', { ID: '', Name: '', Node: 'server', Behavior: '', TTL: '' })),
    );
    const [first = '', second = ''] = sessions.map((each) => each.value);
    expect((await apply(server, kv('lock', 'k', { Session: first }))).Results).toMatchObject([{ KV: { LockIndex: 1, Session: first } }]);
    expect(await apply(server, kv('lock', 'k', { Session: second }))).toEqual(failure('failed to lock key "k", lock is already held'));
    await server.port.call('Session.Destroy', { id: first });
    expect(await apply(server, kv('lock', 'k', { Session: second }))).toEqual(failure('failed to lock key "k" due to lock delay'));
  });

  it('take at most 128 operations, and none at all', async () => {
    const server = await start();
    const many = Array.from({ length: 129 }, (_, at) => kv('set', `m${at}`));
    await expect(apply(server, ...many)).rejects.toMatchObject({
      code: 'too-large',
      message: 'Transaction contains too many operations (129 > 128)',
    });
    expect((await apply(server, ...many.slice(1))).Results).toHaveLength(128);
    expect(await read(server)).toEqual({ Results: [], Errors: [] });
  });

  it('refuse to write in a read', async () => {
    const server = await start();
    await expect(read(server, kv('set', 'a'))).rejects.toMatchObject({ code: 'invalid-argument' });
  });

  it('leave a node as it is that says what it said, whatever else the request holds', async () => {
    const server = await start();
    const fields = { ID: '', Node: 'tx', Address: '9.9.9.9', Datacenter: 'dc1', TaggedAddresses: null, Meta: null };
    const node = { ...fields, CreateIndex: 0, ModifyIndex: 0, Partition: '', PeerName: '' };
    const first = await apply(server, { Node: { Verb: 'set', Node: node } });
    expect(await apply(server, { Node: { Verb: 'set', Node: node } })).toEqual(first);
  });

  it('want the name of the service also where they remove one, and a name or id at all', async () => {
    const server = await start();
    const problem = 'Must provide service name (Service.Service) when service ID is provided';
    expect(await apply(server, service('delete', 'web-1', ''))).toEqual(failure(problem));
    const primary = 'failed inserting service: failed inserting service: object missing primary index';
    expect(await apply(server, service('set', '', ''))).toEqual(failure(primary));
  });

  it('change the catalog and the keys together', async () => {
    const server = await start();
    const node = {
      ID: '',
      Node: 'tx',
      Address: '9.9.9.9',
      Datacenter: 'dc1',
      TaggedAddresses: null,
      Meta: null,
      CreateIndex: 0,
      ModifyIndex: 0,
    };
    const set: TxnOperation = { Node: { Verb: 'set', Node: node } };
    const get: TxnOperation = { Node: { Verb: 'get', Node: node } };
    const rolledBack = await apply(server, set, kv('get', 'none'));
    expect(rolledBack.Errors).toHaveLength(1);
    expect(await read(server, get)).toEqual(failure(`node "tx" doesn't exist`));
    const reply = await apply(server, set, kv('set', 'a'), get);
    expect(reply.Results).toMatchObject([{ Node: { Node: 'tx' } }, { KV: { Key: 'a' } }, { Node: { Address: '9.9.9.9' } }]);
    expect(await apply(server, { Node: { Verb: 'delete', Node: node } })).toEqual({ Results: [], Errors: [] });
    expect(await read(server, get)).toEqual(failure(`node "tx" doesn't exist`));
  });
});

describe('rights in transactions', () => {
  /** May write keys and services that begin with `own`, and read nothing else. */
  const own: Authorizer = {
    accessorId: 'me',
    allows: (_resource, segment) => segment.startsWith('own'),
    allowsPrefix: (_resource, prefix) => prefix.startsWith('own'),
    allowsAny: () => true,
  };
  const denied = (permission: string, name: string): string =>
    `Permission denied: token with AccessorID 'me' lacks permission '${permission}' on ${JSON.stringify(name)}`;

  it('are asked for on the real key of every operation (etcd CVE-2026-33343)', async () => {
    const server = await start(own);
    expect((await apply(server, kv('set', 'own/a'), kv('delete-tree', 'own/'))).Errors).toEqual([]);
    for (const verb of ['set', 'cas', 'delete', 'delete-cas', 'delete-tree', 'lock', 'unlock', 'check-not-exists'] as const) {
      expect(await apply(server, kv('set', 'own/b'), kv(verb, 'x')), verb).toEqual(failure(denied('key:write', 'x'), 1));
    }
    for (const verb of ['check-index', 'check-session'] as const) {
      expect(await read(server, kv(verb, 'x')), verb).toEqual(failure(denied('key:read', 'x')));
    }
    expect((await server.port.call('KVS.Get', { key: 'own/b' })).value).toBeNull();
  });

  it('hide what may not be read, also results of the own transaction', async () => {
    const server = await start(own);
    await server.consensus.propose({ type: 'kv.apply', version: 1, timeMs: 0, body: { operation: 'set', entry: hidden } });
    const reply = await server.port.call('Txn.Read', { operations: [kv('get', 'x'), kv('get-tree', 'x')] });
    expect(reply).toMatchObject({ value: { Results: [], Errors: [] }, meta: { resultsFilteredByAcls: true } });
  });

  it('cannot be had by naming one’s own service for another’s instance or proxy (CVE-2021-38698)', async () => {
    const all = await start();
    expect((await apply(all, { Node: { Verb: 'set', Node: NODE } }, service('set', 'id', 'theirs'))).Errors).toEqual([]);
    const state = (await all.port.call('Snapshot.Save', {})).value;
    let current: Authorizer = { ...own, allows: () => true };
    const server = await createTestServer({}, { resolveToken: () => current });
    servers.push(server);
    await server.port.call('Snapshot.Restore', { archive: state });
    current = own;
    expect(await apply(server, service('set', 'id', 'own'))).toEqual(failure(denied('service:write', 'theirs')));
    expect(await apply(server, service('delete', 'id', 'own'))).toEqual(failure(denied('service:write', 'theirs')));
    const proxy = service('set', 'own-proxy', 'own-proxy', {
      Kind: 'connect-proxy',
      Proxy: { ...NO_PROXY, DestinationServiceName: 'theirs' },
    });
    expect(await apply(server, proxy)).toEqual(failure(denied('service:write', 'theirs')));
  });
});

const hidden: KvWrite = { Key: 'x', Value: Buffer.alloc(0), Flags: 0, Session: '', ModifyIndex: 0 };
const NODE = {
  ID: '',
  Node: 'n',
  Address: '1.1.1.1',
  Datacenter: 'dc1',
  TaggedAddresses: null,
  Meta: null,
  CreateIndex: 0,
  ModifyIndex: 0,
};

function service(Verb: 'set' | 'delete', ID: string, Service: string, rest: object = {}): TxnOperation {
  const fields = {
    Kind: '',
    ID,
    Service,
    Tags: [],
    Address: '',
    TaggedAddresses: null,
    Meta: null,
    Port: 1,
    SocketPath: '',
    Weights: { Passing: 1, Warning: 1 },
    EnableTagOverride: false,
    Proxy: NO_PROXY,
    Connect: { Native: false },
    PeerName: '',
    CreateIndex: 0,
    ModifyIndex: 0,
    ...rest,
  };
  return { Service: { Verb, Node: 'n', Service: fields as never } };
}
