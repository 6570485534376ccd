import { allowAll, type Authorizer } from '@lictor/mesh';
import type { KeyringOperation, Secret } from '@lictor/protocol';
import { afterEach, describe, expect, it } from 'vitest';
import { createTestServer, type TestServer } from '../../testing/index.ts';
import type { GossipKeyrings, KeyringAnswers, PoolKeyring } from './operator-keyring.ts';

const servers: TestServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

const FINE: KeyringAnswers = {
  members: 3,
  answered: 3,
  errors: new Map(),
  keys: new Map([['a2V5', 3]]),
  primaryKeys: new Map([['a2V5', 2]]),
};

function pool(answers: KeyringAnswers | Error, asked: string[] = [], name = 'pool'): PoolKeyring {
  return {
    perform: async (operation: KeyringOperation, key: Secret, relays: number) => {
      asked.push(`${name} ${operation} ${key.reveal()} ${relays}`);
      if (answers instanceof Error) throw answers;
      return answers;
    },
  };
}

async function start(keyrings: GossipKeyrings | undefined, authorizer: Authorizer = allowAll): Promise<TestServer> {
  const server = await createTestServer({}, { resolveToken: () => authorizer, ...(keyrings !== undefined && { keyrings }) });
  servers.push(server);
  return server;
}

const LIST = { operation: 'list', key: '', relays: 0, wan: true } as const;

describe('Operator.Keyring (consul-facts H130-H133)', () => {
  it('tells of both pools, the WAN pool first, or of the LAN pool alone', async () => {
    const asked: string[] = [];
    const { port } = await start({ lan: pool(FINE, asked, 'lan'), wan: pool({ ...FINE, members: 2, answered: 2 }, asked, 'wan') });
    const report = { Datacenter: 'dc1', Messages: {}, Keys: { a2V5: 3 }, PrimaryKeys: { a2V5: 2 }, Error: '' };
    expect((await port.call('Operator.Keyring', LIST)).value).toEqual([
      { ...report, WAN: true, NumNodes: 2 },
      { ...report, WAN: false, NumNodes: 3 },
    ]);
    const { value } = await port.call('Operator.Keyring', { operation: 'use', key: 'b', relays: 2, wan: false });
    expect(value.map(({ WAN }) => WAN)).toEqual([false]);
    expect(asked).toEqual(['wan list  0', 'lan list  0', 'lan use b 2']);
  });

  it('says how many failed, or did not answer, or why nobody was asked', async () => {
    const errors = new Map([['n2', 'requested key is not in the keyring']]);
    const reportOf = async (answers: KeyringAnswers | Error): Promise<object | undefined> => {
      const { port } = await start({ lan: pool(answers), wan: undefined });
      return (await port.call('Operator.Keyring', LIST)).value[0];
    };
    expect(await reportOf({ ...FINE, errors })).toMatchObject({
      Error: '1/3 nodes reported failure',
      Messages: Object.fromEntries(errors),
    });
    expect(await reportOf({ ...FINE, answered: 2 })).toMatchObject({ Error: '2/3 nodes reported success' });
    expect(await reportOf(new Error('too many queries at once'))).toMatchObject({ Error: 'too many queries at once', NumNodes: 0 });
  });

  it('answers without a leader, as an agent asks it', async () => {
    const { port, consensus } = await start({ lan: pool(FINE), wan: undefined });
    await consensus.stop();
    expect((await port.call('Operator.Keyring', LIST, { query: { consistency: 'stale' } })).value).toHaveLength(1);
  });

  it('needs keyring:read to list and keyring:write to change', async () => {
    const reader: Authorizer = {
      ...allowAll,
      accessorId: 'x',
      allows: (resource, _segment, access) => resource === 'keyring' && access === 'read',
    };
    const { port } = await start({ lan: pool(FINE), wan: undefined }, reader);
    expect((await port.call('Operator.Keyring', LIST)).value).toHaveLength(1);
    for (const operation of ['install', 'use', 'remove'] as const)
      await expect(port.call('Operator.Keyring', { ...LIST, operation })).rejects.toThrow("lacks permission 'keyring:write'");
  });

  it('refuses what is no operation', async () => {
    const { port } = await start(undefined);
    for (const wrong of [{ operation: 'steal' }, { relays: 6 }, { relays: 0.5 }, { key: 5 }])
      await expect(port.call('Operator.Keyring', { ...LIST, ...wrong } as never)).rejects.toMatchObject({ code: 'invalid-argument' });
  });

  it('without gossip has nothing to list and nothing to change (observed: keyring)', async () => {
    const { port } = await start(undefined);
    const list = { Error: '1/1 nodes reported failure', Messages: { server: 'Keyring is empty (encryption not enabled)' } };
    const wanList = { ...list, Messages: { 'server.dc1': 'Keyring is empty (encryption not enabled)' } };
    expect((await port.call('Operator.Keyring', LIST)).value).toMatchObject([wanList, list]);
  });
});
