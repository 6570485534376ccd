import type { Authorizer } from '@lictor/mesh';
import { allowAll } from '@lictor/mesh';
import { decode, preparedQueryDefinition, Secret } from '@lictor/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTestServer, type TestServer } from '../../testing/index.ts';

const TOO_LARGE =
  'Invalid prepared query: a list has more than 128 items, a text more than 4096 characters, or all together more than 65536';

let server: TestServer;
let authorizers: ReadonlyMap<string, Authorizer>;

beforeEach(async () => {
  authorizers = new Map();
  server = await createTestServer({}, { resolveToken: (token) => authorizers.get(token.reveal()) ?? allowAll });
});

afterEach(() => server.stop());

/** Rules of prepared queries only, by exact name. */
function rules(byName: Readonly<Record<string, 'read' | 'write'>>): Authorizer {
  return {
    accessorId: 'limited',
    allows: (resource, segment, access) => resource === 'query' && (byName[segment] === 'write' || byName[segment] === access),
    allowsPrefix: () => false,
    allowsAny: () => false,
  };
}

function query(fields: Record<string, unknown>) {
  return decode(preparedQueryDefinition, { Service: { Service: 'web' }, ...fields });
}

async function create(fields: Record<string, unknown>, token = ''): Promise<string> {
  return (await server.port.call('PreparedQuery.Create', query(fields), { token: new Secret(token) })).value;
}

async function names(token = ''): Promise<readonly string[]> {
  return (await server.port.call('PreparedQuery.List', {}, { token: new Secret(token) })).value.map(({ Name }) => Name);
}

function session(): Promise<string> {
  const request = { ID: '', Name: '', Node: 'server', Behavior: '', TTL: '', NodeChecks: [] };
  return server.port.call('Session.Create', request).then(({ value }) => value);
}

describe('PreparedQuery.Create, Update and Delete (observed: query group, consul-facts H120, H123, H124)', () => {
  it('store the query as it was given', async () => {
    const id = await create({ Name: 'q1', Service: { Service: 'db', Tags: ['m'], Failover: { NearestN: 2 } }, DNS: { TTL: '10s' } });
    const { value, meta } = await server.port.call('PreparedQuery.Get', { id: id.toUpperCase() });
    const failover = { NearestN: 2, Datacenters: null, Targets: null };
    expect(value).toMatchObject({ ID: id, Name: 'q1', Service: { Service: 'db', Tags: ['m'], NodeMeta: null, Failover: failover } });
    await server.port.call('PreparedQuery.Update', { ...query({ Name: 'q2' }), ID: id });
    expect(await names()).toEqual(['q2']);
    const changed = await server.port.call('PreparedQuery.Get', { id }, { query: { minIndex: meta.index } });
    expect(changed.value.CreateIndex).toBe(value.CreateIndex);
    expect(changed.meta.index).toBe(changed.value.ModifyIndex);
    await server.port.call('PreparedQuery.Delete', { id });
    await expect(server.port.call('PreparedQuery.Get', { id })).rejects.toMatchObject({ code: 'not-found', message: 'Query not found' });
    await expect(server.port.call('PreparedQuery.Delete', { id })).rejects.toThrow(`Cannot modify non-existent prepared query: '${id}'`);
  });

  it.each([
    [{}, 'Invalid prepared query: Must be bound to a session'],
    [{ ID: 'x', Name: 'q' }, 'ID must be empty when creating a new prepared query'],
    [
      { Name: 'q', Token: '<hidden>' },
      "Invalid prepared query: Bad Token '<hidden>', it looks like a query definition with a redacted token was submitted",
    ],
    [{ Name: 'q', Service: {} }, 'Invalid prepared query: Must provide a Service name to query'],
    [{ Name: 'q', Service: { Service: 'x', Failover: { NearestN: -1 } } }, "Invalid prepared query: Bad NearestN '-1', must be >= 0"],
    [
      { Name: 'q', Service: { Service: 'x', Failover: { NearestN: 1, Targets: [{ Datacenter: 'dc2' }] } } },
      'Invalid prepared query: Targets cannot be populated with NearestN or Datacenters',
    ],
    [
      { Name: 'q', Service: { Service: 'x', Failover: { Targets: [{ Peer: 'p' }] } } },
      'Invalid prepared query: cluster peering is not supported yet: Peer must be empty',
    ],
    [
      { Name: 'q', Service: { Service: 'x', SamenessGroup: 'g' } },
      'Invalid prepared query: sameness-groups are an enterprise-only feature',
    ],
    [
      { Name: 'q', Service: { Service: 'x', NodeMeta: { '': 'x' } } },
      "Invalid prepared query: Couldn't load metadata pair ('', 'x'): Key cannot be blank",
    ],
    [{ Name: 'q', DNS: { TTL: 'abc' } }, `Invalid prepared query: Bad DNS TTL 'abc': time: invalid duration "abc"`],
    [{ Name: 'q', DNS: { TTL: '5' } }, `Invalid prepared query: Bad DNS TTL '5': time: missing unit in duration "5"`],
    [{ Name: 'q', DNS: { TTL: '-1s' } }, "Invalid prepared query: DNS TTL '-1000000000', must be >=0"],
    [{ Name: 'q', Session: 'nope' }, 'raft apply failed: invalid session "nope"'],
    [{ Name: 'q', Template: { Type: 'bogus' } }, "raft apply failed: failed compiling template: Bad Template.Type 'bogus'"],
    [{ Name: 'q', Service: { Service: 'x', Tags: Array.from({ length: 100 }, () => 'x'.repeat(1000)) } }, TOO_LARGE],
    [
      { Name: 'q', Template: { Type: 'name_prefix_match', Regexp: 'x'.repeat(513) } },
      'Invalid prepared query: Template.Regexp is longer than 512 characters',
    ],
    [{ Name: 'x'.repeat(513) }, 'Invalid prepared query: Name is longer than 512 characters'],
    [{ Name: 'q', Service: { Service: 'x', Tags: Array.from({ length: 129 }, String) } }, TOO_LARGE],
    [{ Name: 'q', Service: { Service: 'x'.repeat(4097) } }, TOO_LARGE],
  ])('refuse %j', async (fields, message) => {
    await expect(create(fields)).rejects.toMatchObject({ code: 'rejected', message });
    expect(await names()).toEqual([]);
  });

  it.each([{ Service: 'web' }, { Name: {} }, { Service: { Tags: 'x' } }, [], 'x'])('refuse what is no query: %j', async (sent) => {
    for (const method of ['PreparedQuery.Create', 'PreparedQuery.Update'] as const) {
      await expect(server.port.call(method, sent as never)).rejects.toMatchObject({ code: 'invalid-argument' });
    }
  });

  it('let no query take the name or the id of another', async () => {
    const id = await create({ Name: 'one' });
    await create({ Name: '', Template: { Type: 'name_prefix_match' } });
    await expect(create({ Name: 'ONE' })).rejects.toThrow("raft apply failed: name 'ONE' aliases an existing query name");
    await expect(create({ Name: id })).rejects.toThrow(`raft apply failed: name '${id}' aliases an existing query ID`);
    await expect(create({ Template: { Type: 'name_prefix_match' } })).rejects.toThrow(
      'raft apply failed: a query template with an empty name already exists',
    );
    await server.port.call('PreparedQuery.Update', { ...query({ Name: 'One' }), ID: id });
    expect((await names()).toSorted()).toEqual(['', 'One']);
  });

  it('end with the session that they are bound to', async () => {
    const id = await session();
    await create({ Name: 'bound', Session: id });
    await create({ Session: id });
    await create({ Name: 'free' });
    await server.port.call('Session.Destroy', { id });
    expect(await names()).toEqual(['free']);
  });
});

describe('ACLs of prepared queries (api-docs: query, "ACL required"; aclfilter)', () => {
  it('write by the names that a query has and gets', async () => {
    authorizers = new Map([['limited', rules({ a: 'write', b: 'write', c: 'read' })]]);
    const id = await create({ Name: 'a' }, 'limited');
    const foreign = await create({ Name: 'c' });
    const options = { token: new Secret('limited') };
    await server.port.call('PreparedQuery.Update', { ...query({ Name: 'b' }), ID: id }, options);
    const denied = { code: 'permission-denied', message: /lacks permission 'query:write' on "c"$/ };
    await expect(create({ Name: 'c' }, 'limited')).rejects.toMatchObject({ ...denied, message: expect.stringMatching(denied.message) });
    for (const call of [
      server.port.call('PreparedQuery.Update', { ...query({ Name: 'c' }), ID: id }, options),
      server.port.call('PreparedQuery.Update', { ...query({ Name: 'a' }), ID: foreign }, options),
      server.port.call('PreparedQuery.Delete', { id: foreign }, options),
    ]) {
      await expect(call).rejects.toThrow(/lacks permission 'query:write' on "c"$/);
    }
    expect((await names()).toSorted()).toEqual(['b', 'c']);
  });

  it('list what may be read, show those without a name to who has their id, and captured tokens to management alone', async () => {
    authorizers = new Map([['limited', rules({ a: 'read' })]]);
    const options = { token: new Secret('limited') };
    const unnamed = await create({ Session: await session(), Token: 'captured' });
    const named = await create({ Name: 'a', Token: 'captured' });
    expect((await names()).toSorted()).toEqual(['', 'a']);
    const only = await server.port.call('PreparedQuery.List', {}, options);
    expect(only.value).toMatchObject([{ Name: 'a', Token: '<hidden>' }]);
    // What hides is not told of: its id is its only secret.
    expect(only.meta.resultsFilteredByAcls).toBe(false);
    for (const id of [unnamed, named]) {
      expect((await server.port.call('PreparedQuery.Get', { id }, options)).value.Token).toBe('<hidden>');
      expect((await server.port.call('PreparedQuery.Get', { id })).value.Token).toBe('captured');
    }
    const hidden = await create({ Name: 'hidden' });
    await expect(server.port.call('PreparedQuery.Get', { id: hidden }, options)).rejects.toMatchObject({ code: 'permission-denied' });
    expect((await server.port.call('PreparedQuery.List', {}, options)).meta.resultsFilteredByAcls).toBe(true);
  });
});
