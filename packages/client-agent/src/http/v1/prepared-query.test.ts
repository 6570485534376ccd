import { connectProxyConfig, decode, LictorError, type PreparedQuery, type PreparedQueryResult } from '@lictor/protocol';
import { afterEach, describe, expect, it } from 'vitest';
import { startTestApi, type TestApi } from '../../testing/http.ts';
import { type FakeHandlers, readReply, writeReply } from '../../testing/server-port.ts';

const ID = '67326b8c-7409-7135-e864-7ae009ae0252';
const QUERY: PreparedQuery = {
  ID,
  Name: 'q1',
  Session: '',
  Token: '',
  Template: { Type: '', Regexp: '', RemoveEmptyTags: false },
  Service: {
    Service: 'db',
    SamenessGroup: '',
    Failover: { NearestN: 2, Datacenters: null, Targets: [{ Peer: '', Datacenter: 'dc2' }] },
    OnlyPassing: true,
    IgnoreCheckIDs: null,
    Near: '',
    Tags: ['m'],
    NodeMeta: null,
    ServiceMeta: null,
    Connect: false,
    Peer: '',
  },
  DNS: { TTL: '10s' },
  CreateIndex: 172,
  ModifyIndex: 174,
};
const SHOWN =
  '{"ID":"67326b8c-7409-7135-e864-7ae009ae0252","Name":"q1","Session":"","Token":"","Template":{"Type":"","Regexp":"","RemoveEmptyTags":false},' +
  '"Service":{"Service":"db","SamenessGroup":"","Failover":{"NearestN":2,"Datacenters":null,"Targets":[{"Peer":"","Datacenter":"dc2"}]},' +
  '"OnlyPassing":true,"IgnoreCheckIDs":null,"Near":"","Tags":["m"],"NodeMeta":null,"ServiceMeta":null,"Connect":false,"Peer":""},' +
  '"DNS":{"TTL":"10s"},"CreateIndex":172,"ModifyIndex":174}';
const META =
  '"Index":1,"LastContact":1500000,"KnownLeader":true,"ConsistencyLevel":"leader","NotModified":false,"Backend":0,"ResultsFilteredByACLs":false';
const EXECUTED = { index: 1, lastContactMs: 1.5 };

const open: TestApi[] = [];
afterEach(async () => {
  for (const api of open.splice(0)) await api.close();
});

async function start(handlers: FakeHandlers = {}): Promise<TestApi> {
  const api = await startTestApi({}, { devMode: false });
  api.server.handlers = handlers;
  open.push(api);
  return api;
}

async function answer(api: TestApi, method: string, path: string, body?: string): Promise<[number, string]> {
  const response = await api.request(`/v1/query${path}`, { method, ...(body === undefined ? {} : { body }) });
  return [response.status, await response.text()];
}

function resultWith(count: number): PreparedQueryResult {
  const nodes = Array.from({ length: count }, (_, at) => ({
    Node: {
      ID: '',
      Node: `n${at}`,
      Address: '10.0.0.1',
      Datacenter: 'dc1',
      TaggedAddresses: null,
      Meta: null,
      CreateIndex: 1,
      ModifyIndex: 1,
    },
    Service: { ID: 'db', Service: 'db', Tags: [], Connect: { Native: false }, Proxy: decode(connectProxyConfig, {}) },
    Checks: [],
  }));
  return { Service: 'db', Nodes: nodes, DNS: { TTL: '' }, Datacenter: 'dc1', PeerName: '', Failovers: 0 } as unknown as PreparedQueryResult;
}

describe('/v1/query (consul-facts H120-H124, observed: query group)', () => {
  it('shows queries in Consul’s order of fields, nulls included', async () => {
    const api = await start({ 'PreparedQuery.List': () => readReply([QUERY]), 'PreparedQuery.Get': () => readReply(QUERY) });
    expect(await answer(api, 'GET', '')).toEqual([200, `[${SHOWN}]`]);
    expect(await answer(api, 'GET', `/${ID}`)).toEqual([200, `[${SHOWN}]`]);
    expect(api.server.calls.map(({ request }) => request)).toEqual([{}, { id: ID }]);
  });

  it('passes on what is written, and takes the id from the path', async () => {
    const writes: FakeHandlers = {
      'PreparedQuery.Create': () => writeReply(ID),
      'PreparedQuery.Update': () => writeReply(undefined),
      'PreparedQuery.Delete': () => writeReply(undefined),
    };
    const api = await start(writes);
    expect(await answer(api, 'POST', '', '{"Name":"q","Service":{"Service":"x","Tags":[]}}')).toEqual([200, `{"ID":"${ID}"}`]);
    expect(api.server.calls.at(-1)?.request).toMatchObject({ ID: '', Name: 'q', Service: { Service: 'x', Tags: [], NodeMeta: null } });
    expect(await answer(api, 'PUT', `/${ID}`, '{"ID":"other","Name":"q"}')).toEqual([200, '']);
    expect(api.server.calls.at(-1)?.request).toMatchObject({ ID, Name: 'q' });
    expect(await answer(api, 'PUT', `/${ID}`)).toEqual([200, '']);
    expect(api.server.calls.at(-1)?.request).toMatchObject({ ID, Name: '' });
    expect(await answer(api, 'DELETE', `/${ID}`)).toEqual([200, '']);
    expect(api.server.calls.at(-1)?.request).toEqual({ id: ID });
  });

  it.each([
    ['{', 'Request decode failed: unexpected EOF'],
    ['', 'Request decode failed: EOF'],
    ['{"Nope":1}', 'Request decode failed: json: unknown field "Nope"'],
    ['{"Name":1}', 'Request decode failed: json: cannot unmarshal number into Go struct field PreparedQuery.Name of type string'],
  ])('refuses the body %s', async (body, text) => {
    expect(await answer(await start(), 'POST', '', body)).toEqual([400, text]);
  });

  it.each([
    ['DELETE', '', 'method DELETE not allowed', 'OPTIONS,GET,POST'],
    ['POST', `/${ID}`, 'method POST not allowed', 'GET,PUT,DELETE'],
    ['PATCH', '/q/execute', 'method PATCH not allowed', 'GET'],
    ['PUT', '/q/execute', 'method PUT not allowed', 'GET'],
    ['DELETE', '/q/explain', 'method DELETE not allowed', 'GET'],
  ])('refuses %s %s', async (method, path, text, allow) => {
    const api = await start();
    const response = await api.request(`/v1/query${path}`, { method });
    expect([response.status, await response.text(), response.headers.get('allow')]).toEqual([405, text, allow]);
  });
});

describe('OPTIONS of /v1/query (measured: 1.8.7)', () => {
  it.each([
    ['', 'OPTIONS,GET,POST'],
    [`/${ID}`, 'OPTIONS,GET,PUT,DELETE'],
    ['/q/execute', 'OPTIONS,GET'],
  ])('%s', async (path, allow) => {
    const response = await (await start()).request(`/v1/query${path}`, { method: 'OPTIONS' });
    expect([response.status, response.headers.get('allow')]).toEqual([200, allow]);
  });
});

describe('/v1/query/:id/execute and explain (consul-facts H125, H126)', () => {
  it('shows instances with nulls for what is empty, and the read’s meta in the body', async () => {
    const api = await start({ 'PreparedQuery.Execute': () => readReply(resultWith(1), EXECUTED) });
    const response = await api.request('/v1/query/a/b/execute?limit=3&connect=1&near=n9');
    expect([response.headers.get('x-consul-index'), response.headers.get('x-consul-effective-consistency')]).toEqual(['1', 'leader']);
    const text = await response.text();
    expect(text).toMatch(
      /^\{"Service":"db","Nodes":\[\{"Node":\{.*"Tags":null.*"Checks":null\}\],"DNS":\{"TTL":""\},"Datacenter":"dc1","PeerName":"",/,
    );
    expect(text.endsWith(`"Failovers":0,${META}}`)).toBe(true);
    expect(api.server.calls.at(-1)?.request).toMatchObject({ idOrName: 'a/b', limit: 3, connect: true, near: 'n9', ip: '127.0.0.1' });
    const forwarded = { headers: { 'x-forwarded-for': '203.0.113.9, 10.0.0.1' } };
    await (await api.request('/v1/query/a/execute', forwarded)).text();
    expect(api.server.calls.at(-1)?.request).toMatchObject({ ip: '203.0.113.9', limit: 0, connect: false, near: '' });
  });

  it.each([0, 1, 1000])('writes the same JSON with %i instances as in one go, compact and indented', async (count) => {
    const api = await start({ 'PreparedQuery.Execute': () => readReply(resultWith(count), EXECUTED) });
    const compact = await (await api.request('/v1/query/q/execute')).text();
    const indented = await (await api.request('/v1/query/q/execute?pretty')).text();
    const value = JSON.parse(compact) as { Nodes: unknown[] };
    expect(value.Nodes).toHaveLength(count);
    expect(compact).toBe(JSON.stringify(value));
    expect(indented.trimEnd()).toBe(JSON.stringify(value, null, 4));
  });

  it('takes limits below one and beyond counting for none, and the verb alone for a name', async () => {
    const api = await start({ 'PreparedQuery.Execute': () => readReply(resultWith(1), EXECUTED) });
    for (const limit of ['-1', '0', '+0', '9007199254740993']) {
      expect((await api.request(`/v1/query/q/execute?limit=${encodeURIComponent(limit)}`)).status).toBe(200);
      expect(api.server.calls.at(-1)?.request).toMatchObject({ limit: 0 });
    }
    await (await api.request('/v1/query/execute')).text();
    expect(api.server.calls.at(-1)?.request).toMatchObject({ idOrName: 'execute' });
  });

  it('explains', async () => {
    const api = await start({ 'PreparedQuery.Explain': () => readReply(QUERY, EXECUTED) });
    expect(await answer(api, 'GET', '/q1/explain')).toEqual([200, `{"Query":${SHOWN},${META}}`]);
    expect(api.server.calls.at(-1)?.request).toMatchObject({ idOrName: 'q1' });
  });

  it('answers 404 with the headers of a read that failed', async () => {
    const fail = (): never => {
      throw new LictorError('not-found', 'Query not found');
    };
    const api = await start({ 'PreparedQuery.Execute': fail, 'PreparedQuery.Explain': fail, 'PreparedQuery.Get': fail });
    for (const path of ['/nope/execute', '/nope/explain', `/${ID}`]) {
      const response = await api.request(`/v1/query${path}`);
      expect([response.status, await response.text()]).toEqual([404, 'Query not found']);
      expect([response.headers.get('x-consul-index'), response.headers.get('x-consul-knownleader')]).toEqual(['1', 'false']);
    }
  });

  it.each([
    ['limit=99999999999999999999', `Bad limit: strconv.Atoi: parsing "99999999999999999999": value out of range`],
    ['limit=x', `Bad limit: strconv.Atoi: parsing "x": invalid syntax`],
    ['connect=x', `Error parsing 'connect' value: strconv.ParseBool: parsing "x": invalid syntax`],
  ])('refuses ?%s', async (query, text) => {
    expect(await answer(await start(), 'GET', `/q/execute?${query}`)).toEqual([500, text]);
  });
});
