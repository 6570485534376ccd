import { allowAll, type Authorizer } from '@lictor/mesh';
import { decode, type PreparedQueryExecuteRequest, preparedQueryDefinition, Secret } from '@lictor/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { registration } from '../../testing/endpoints.ts';
import { createTestServer, type TestServer } from '../../testing/index.ts';

/** Coordinates are written in batches (consul-facts H034). */
const BATCH_PERIOD_MS = 5000;
const denyAll: Authorizer = { accessorId: 'nobody', allows: () => false, allowsPrefix: () => false, allowsAny: () => false };

let server: TestServer;

beforeEach(async () => {
  server = await createTestServer({}, { resolveToken: (token) => (token.reveal() === 'nobody' ? denyAll : allowAll) });
});

afterEach(() => server.stop());

interface Instance {
  readonly status?: string;
  readonly tags?: readonly string[];
  readonly meta?: Readonly<Record<string, string>>;
  readonly nodeMeta?: Readonly<Record<string, string>>;
  readonly address?: string;
}

async function register(node: string, { status = 'passing', tags = [], meta = {}, nodeMeta = {}, address }: Instance = {}): Promise<void> {
  const Service = { ID: 'web', Service: 'web', Port: 80, Tags: tags, Meta: meta };
  const Check = { CheckID: 'alive', Name: 'alive', Status: status, ServiceID: 'web' };
  await server.port.call(
    'Catalog.Register',
    registration({ Node: node, NodeMeta: nodeMeta, Service, Check, ...(address === undefined ? {} : { Address: address }) }),
  );
}

async function define(service: Record<string, unknown>, fields: Record<string, unknown> = {}): Promise<string> {
  const query = decode(preparedQueryDefinition, { Name: 'q', ...fields, Service: { Service: 'web', ...service } });
  return (await server.port.call('PreparedQuery.Create', query)).value;
}

function execute(request: Partial<PreparedQueryExecuteRequest> = {}, token = '') {
  const agent = { node: 'server', datacenter: 'dc1', segment: '' };
  const complete = { idOrName: 'q', limit: 0, connect: false, near: '', ip: '', agent, ...request };
  return server.port.call('PreparedQuery.Execute', complete, { token: new Secret(token) });
}

async function nodes(request: Partial<PreparedQueryExecuteRequest> = {}): Promise<string[]> {
  return (await execute(request)).value.Nodes.map(({ Node: node }) => node.Node);
}

describe('PreparedQuery.Execute (consul-facts H125)', () => {
  it('answers with the instances, the query’s DNS options and where they are, under an index that nobody waits for', async () => {
    await register('n1');
    await define({}, { DNS: { TTL: '10s' } });
    const { value, meta } = await execute();
    expect(value).toMatchObject({ Service: 'web', DNS: { TTL: '10s' }, Datacenter: 'dc1', PeerName: '', Failovers: 0 });
    expect(value.Nodes).toMatchObject([{ Node: { Node: 'n1' }, Service: { ID: 'web' }, Checks: [{ CheckID: 'alive' }] }]);
    expect(meta).toMatchObject({ index: 1, resultsFilteredByAcls: false });
    await expect(execute({ idOrName: 'nope' })).rejects.toMatchObject({ code: 'not-found', message: 'Query not found' });
  });

  it.each([
    [{}, ['passing', 'warning']],
    [{ OnlyPassing: true }, ['passing']],
    [{ IgnoreCheckIDs: ['other', 'alive'], OnlyPassing: true }, ['critical', 'passing', 'warning']],
  ])('keeps the healthy: %j', async (service, expected) => {
    for (const status of ['passing', 'warning', 'critical']) await register(status, { status });
    await define(service);
    expect((await nodes()).toSorted()).toEqual(expected);
  });

  it.each([
    [{ Tags: ['A'] }, ['a', 'ab']],
    [{ Tags: ['a', '!B'] }, ['a']],
    [{ Tags: ['!a'] }, ['b']],
    [{ NodeMeta: { zone: 'a' } }, ['a']],
    [{ ServiceMeta: { version: '2' } }, ['b']],
    [{ ServiceMeta: { version: '2', other: 'x' } }, []],
  ])('keeps those with %j', async (service, expected) => {
    await register('a', { tags: ['a'], nodeMeta: { zone: 'a' } });
    await register('b', { tags: ['b'], meta: { version: '2' } });
    await register('ab', { tags: ['a', 'b'] });
    await define(service);
    expect((await nodes()).toSorted()).toEqual(expected);
  });

  it('executes what a template comes to, tags left out that come out empty', async () => {
    await register('n1', { tags: ['eu'] });
    const Template = { Type: 'name_prefix_match', Regexp: '^geo-(.*?)(?:-(.*))?$', RemoveEmptyTags: true };
    await define({ Service: '${match(1)}', Tags: ['${match(2)}'] }, { Name: 'geo-', Template });
    expect(await nodes({ idOrName: 'geo-web' })).toEqual(['n1']);
    expect(await nodes({ idOrName: 'geo-web-eu' })).toEqual(['n1']);
    expect(await nodes({ idOrName: 'geo-web-us' })).toEqual([]);
    expect(await nodes({ idOrName: 'geo-' })).toEqual([]);
  });

  it('shows instances that stand for the service in the mesh when the query or its caller says so', async () => {
    await register('n1');
    const proxy = { ID: 'web-proxy', Service: 'web-proxy', Kind: 'connect-proxy', Port: 81, Proxy: { DestinationServiceName: 'web' } };
    await server.port.call('Catalog.Register', registration({ Node: 'n1', SkipNodeUpdate: true, Service: proxy }));
    await define({});
    await define({ Connect: true }, { Name: 'mesh' });
    const ids = async (request: Partial<PreparedQueryExecuteRequest>): Promise<string[]> =>
      (await execute(request)).value.Nodes.map(({ Service: service }) => service.ID);
    expect(await ids({})).toEqual(['web']);
    expect(await ids({ connect: true })).toEqual(['web-proxy']);
    expect(await ids({ idOrName: 'mesh' })).toEqual(['web-proxy']);
  });

  it('has the rights of its own token if it has one, of its caller else', async () => {
    await register('n1');
    await define({});
    await define({}, { Name: 'own', Token: 'all' });
    await define({}, { Name: 'none', Token: 'nobody' });
    const seen = async (idOrName: string, token: string): Promise<readonly [number, boolean]> => {
      const { value, meta } = await execute({ idOrName }, token);
      return [value.Nodes.length, meta.resultsFilteredByAcls];
    };
    expect(await seen('q', 'nobody')).toEqual([0, true]);
    expect(await seen('own', 'nobody')).toEqual([1, false]);
    expect(await seen('none', 'all')).toEqual([0, true]);
  });
});

describe('the order of what a prepared query finds (api-docs: query, Near)', () => {
  const all = Array.from({ length: 8 }, (_, at) => `n${at}`);

  /** Each node is so many seconds away from the first. */
  async function place(): Promise<void> {
    for (const [at, node] of all.entries()) {
      await register(node, { address: `10.0.1.${at}` });
      const Coord = { Vec: [at, 0, 0, 0, 0, 0, 0, 0], Error: 1, Adjustment: 0, Height: 1e-5 };
      await server.port.call('Coordinate.Update', { Node: node, Segment: '', Partition: '', Coord });
    }
    await server.clock.advance(BATCH_PERIOD_MS);
  }

  it('is random, and a limit cuts what is left of it', async () => {
    for (const node of all) await register(node);
    await define({});
    const orders = new Set<string>();
    const first = new Set<string>();
    for (let time = 0; time < 60; time++) {
      orders.add(String(await nodes()));
      first.add(String(await nodes({ limit: 1 })));
    }
    expect(orders.size).toBeGreaterThan(30);
    expect(first).toEqual(new Set(all));
  });

  it.each([
    ['what the query says', { Near: 'n3' }, {}, 'n3'],
    ['what the caller says, before that', { Near: 'n3' }, { near: 'n6' }, 'n6'],
    ['the agent', { Near: '_agent' }, { agent: { node: 'n2', datacenter: 'dc1', segment: '' } }, 'n2'],
    ['the caller’s node', { Near: '_ip' }, { ip: '10.0.1.5' }, 'n5'],
    ['the caller’s node, asked for', {}, { near: '_ip', ip: '10.0.1.4' }, 'n4'],
  ])('begins nearest to %s', async (_what, service, request, node) => {
    await place();
    await define(service);
    const order = await nodes(request);
    const distance = (other: string): number => Math.abs(all.indexOf(other) - all.indexOf(node));
    expect(order.map(distance)).toEqual(all.map(distance).toSorted((left, right) => left - right));
  });

  it.each([
    [{ near: '_ip', ip: '192.0.2.1' }],
    [{ near: '_ip' }],
    [{ near: 'nope' }],
    [{ near: '_agent', agent: { node: 'n2', datacenter: 'dc2', segment: '' } }],
  ])('stays random for %j, of which nothing is known here', async (request) => {
    await place();
    await define({});
    const first = new Set<string>();
    for (let time = 0; time < 30; time++) first.add((await nodes(request))[0] ?? '');
    expect(first.size).toBeGreaterThan(3);
  });

  it('begins with the node itself where distances are not known', async () => {
    for (const node of all) await register(node);
    await define({ Near: 'N3' });
    for (let time = 0; time < 5; time++) expect((await nodes())[0]).toBe('n3');
  });
});

describe('what comes over the network in place of an execution', () => {
  const valid = { idOrName: 'q', limit: 0, connect: false, near: '', ip: '', agent: { node: 'n', datacenter: 'dc1', segment: '' } };

  it.each([
    null,
    'x',
    [],
    {},
    { ...valid, agent: null },
    { ...valid, agent: {} },
    { ...valid, idOrName: 7 },
    { ...valid, limit: 1.5 },
    { ...valid, near: {} },
  ])('is refused: %j', async (request) => {
    await define({});
    for (const method of ['PreparedQuery.Execute', 'PreparedQuery.Explain'] as const) {
      await expect(server.port.call(method, request as never)).rejects.toMatchObject({ code: 'invalid-argument' });
    }
  });

  it.each([null, {}, { query: {} }, { query: { ...decode(preparedQueryDefinition, {}), ID: 'x', Name: 1 } }])(
    'is refused by another datacenter: %j',
    async (request) => {
      await expect(server.port.call('PreparedQuery.ExecuteRemote', request as never)).rejects.toMatchObject({ code: 'invalid-argument' });
    },
  );
});

describe('PreparedQuery.Explain (consul-facts H126)', () => {
  it('tells what would be executed, filled in', async () => {
    await define({ Service: '${name.suffix}' }, { Name: 'geo-', Template: { Type: 'name_prefix_match' }, Token: 'captured' });
    const request = {
      idOrName: 'geo-web',
      limit: 0,
      connect: false,
      near: '',
      ip: '',
      agent: { node: 'a', datacenter: 'dc1', segment: '' },
    };
    const { value } = await server.port.call('PreparedQuery.Explain', request);
    expect(value).toMatchObject({ Name: 'geo-', Service: { Service: 'web' }, Token: 'captured' });
    const denied = server.port.call('PreparedQuery.Explain', request, { token: new Secret('nobody') });
    await expect(denied).rejects.toMatchObject({ code: 'permission-denied', message: 'Permission denied' });
  });
});
