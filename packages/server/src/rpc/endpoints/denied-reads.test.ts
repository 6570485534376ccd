import type { Authorizer } from '@lictor/mesh';
import {
  decode,
  intentionRequest,
  preparedQueryDefinition,
  type PreparedQueryExecuteRequest,
  type ReadMethod,
  type RpcRequest,
  sessionCreateRequest,
} from '@lictor/protocol';
import { allowAll } from '@lictor/mesh';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { registration } from '../../testing/endpoints.ts';
import { createTestServer, type TestServer } from '../../testing/index.ts';

const CANARY = 'canary';
/** Coordinates are written in batches (consul-facts H034). */
const BATCH_PERIOD_MS = 5000;
const denyAll: Authorizer = { accessorId: 'nobody', allows: () => false, allowsPrefix: () => false, allowsAny: () => false };

const executed: PreparedQueryExecuteRequest = {
  idOrName: CANARY,
  limit: 0,
  connect: false,
  near: '',
  ip: '',
  agent: { node: CANARY, datacenter: 'dc1', segment: '' },
};
const preparedQuery = decode(preparedQueryDefinition, { Name: CANARY, Token: '', Service: { Service: CANARY, Tags: [CANARY] } });

type Rows = { readonly [M in ReadMethod]: readonly RpcRequest<M>[] };

/** Every read of the contract; one without a row here does not compile. */
function rows(filter: string, nodeFilter: string): Rows {
  const by = { filter };
  return {
    'Catalog.ListDatacenters': [{}],
    'Catalog.ListNodes': [{}, { filter: nodeFilter }, { nodeMeta: { canary: CANARY } }, { near: CANARY }],
    'Catalog.ListServices': [{}, { nodeMeta: { canary: CANARY } }],
    'Catalog.ServiceNodes': [
      { service: CANARY },
      { service: CANARY, connect: true },
      { service: CANARY, ...by },
      { service: CANARY, tags: [CANARY] },
    ],
    'Catalog.NodeServices': [{ node: CANARY }, { node: CANARY, ...by }],
    'Catalog.GatewayServices': [{ gateway: CANARY }],
    'Catalog.VirtualIp': [{ service: CANARY }],
    'Catalog.AddressOwner': [{ address: '10.0.0.1' }],
    'Health.NodeChecks': [{ node: CANARY }, { node: CANARY, filter: `Name == ${CANARY}` }],
    'Health.ServiceChecks': [{ service: CANARY }],
    'Health.ChecksInState': [{ state: 'any' }, { state: 'any', filter: `Name == ${CANARY}` }],
    'Health.ServiceNodes': [
      { service: CANARY },
      { service: CANARY, filter: `Service.Meta.secret == ${CANARY}` },
      { service: CANARY, connect: true, mergeCentralConfig: true },
    ],
    'KVS.Get': [{ key: CANARY }],
    'KVS.List': [{ prefix: '' }, { prefix: CANARY }],
    'KVS.ListKeys': [
      { prefix: '', separator: '' },
      { prefix: 'can', separator: '/' },
    ],
    'Session.Get': [{ id: '00000000-0000-0000-0000-000000000000' }],
    'Session.List': [{}],
    'Session.NodeSessions': [{ node: CANARY }],
    'Txn.Read': [
      {
        operations: [
          { KV: { Verb: 'get', Key: CANARY, Value: new Uint8Array(), Flags: 0, Session: '', ModifyIndex: 0 } },
          { KV: { Verb: 'get-tree', Key: 'can', Value: new Uint8Array(), Flags: 0, Session: '', ModifyIndex: 0 } },
        ],
      },
    ],
    'Coordinate.ListNodes': [{}],
    'Coordinate.Node': [{ node: CANARY }],
    'Coordinate.ListDatacenters': [{}],
    'Event.Fire': [{ ID: '', Name: CANARY, Payload: null, NodeFilter: '', ServiceFilter: '', TagFilter: '', Version: 1 }],
    'ConfigEntry.Get': [{ kind: 'service-defaults', name: CANARY }],
    'ConfigEntry.List': [{ kind: '' }, { kind: 'service-defaults' }, { kind: 'service-defaults', filter: `Name == ${CANARY}` }],
    'ConfigEntry.ResolveServiceConfig': [{ service: CANARY, upstreams: [CANARY] }],
    'Intention.List': [{}, { filter: `SourceName == ${CANARY}` }],
    'Intention.Get': [{ id: '00000000-0000-0000-0000-000000000000' }],
    'Intention.GetExact': [{ source: CANARY, destination: CANARY }],
    'Intention.Match': [
      { by: 'destination', names: [CANARY] },
      { by: 'source', names: [CANARY] },
    ],
    'Intention.Check': [{ source: CANARY, destination: CANARY }],
    'PreparedQuery.Get': [{ id: '00000000-0000-0000-0000-000000000000' }],
    'PreparedQuery.List': [{}],
    'PreparedQuery.Explain': [executed],
    'PreparedQuery.Execute': [executed, { ...executed, connect: true, near: CANARY }],
    'PreparedQuery.ExecuteRemote': [{ query: { ...preparedQuery, ID: 'any' }, limit: 0, connect: false }],
    'ConnectCA.Roots': [{}],
    'ConnectCA.ConfigurationGet': [{}],
    'Status.Leader': [{}],
    'Status.Peers': [{}],
    'Status.RaftStats': [{}],
    'Operator.AutopilotGetConfiguration': [{}],
    'Operator.AutopilotState': [{}],
    'Operator.RaftGetConfiguration': [{}],
    'Operator.Keyring': [{ operation: 'list', key: '', relays: 0, wan: true }],
    'Operator.Usage': [{}],
    'Snapshot.Save': [{}],
  };
}
const MATCHING = rows(`ServiceMeta.secret == ${CANARY} or Meta.secret == ${CANARY}`, `Meta.canary == ${CANARY}`);

let current: Authorizer = allowAll;
let servers: TestServer[] = [];
beforeEach(() => {
  current = allowAll;
});
afterEach(async () => {
  for (const server of servers) await server.stop();
  servers = [];
});

async function start(): Promise<TestServer> {
  const server = await createTestServer({}, { resolveToken: () => current });
  servers.push(server);
  return server;
}

/** Ids are given out by the server: they take the place of those in the rows. */
interface Ids {
  readonly 'Session.Get': string;
  readonly 'Intention.Get': string;
  readonly 'PreparedQuery.Get': string;
}

async function populate({ port, clock }: TestServer): Promise<Ids> {
  const instance = { ID: CANARY, Service: CANARY, Tags: [CANARY], Meta: { secret: CANARY }, Port: 1, Connect: { Native: true } };
  const Check = { CheckID: CANARY, Name: CANARY, Status: 'passing', Output: CANARY, ServiceID: CANARY };
  await port.call('Catalog.Register', registration({ Node: CANARY, NodeMeta: { canary: CANARY }, Service: instance, Check }));
  await port.call('KVS.Apply', {
    operation: 'set',
    entry: { Key: CANARY, Value: Buffer.from(CANARY), Flags: 0, Session: '', ModifyIndex: 0 },
  });
  await port.call('ConfigEntry.Apply', { entry: { Kind: 'service-defaults', Name: CANARY, Protocol: 'http', Meta: { secret: CANARY } } });
  await port.call('ConfigEntry.Apply', { entry: { Kind: 'terminating-gateway', Name: CANARY, Services: [{ Name: CANARY, SNI: CANARY }] } });
  await port.call('ConfigEntry.Apply', {
    entry: { Kind: 'service-intentions', Name: CANARY, Sources: [{ Name: CANARY, Action: 'allow', Description: CANARY }] },
  });
  const Coord = { Vec: [0, 0, 0, 0, 0, 0, 0, 0], Error: 1, Adjustment: 0, Height: 0 };
  await port.call('Coordinate.Update', { Node: CANARY, Segment: '', Partition: '', Coord });
  await clock.advance(BATCH_PERIOD_MS);
  const session = decode(sessionCreateRequest, { Node: CANARY, Name: CANARY, NodeChecks: [] });
  const intention = decode(intentionRequest, { SourceName: CANARY, DestinationName: `${CANARY}-2`, Action: 'allow' });
  return {
    'Session.Get': (await port.call('Session.Create', session)).value,
    'Intention.Get': (await port.call('Intention.Create', intention)).value,
    'PreparedQuery.Get': (await port.call('PreparedQuery.Create', preparedQuery)).value,
  };
}

function withId<M extends ReadMethod>(method: M, request: RpcRequest<M>, ids: Ids): RpcRequest<M> {
  return Object.hasOwn(ids, method) ? { ...request, id: ids[method as keyof Ids] } : request;
}

/** What the caller gets. A query says to whoever knows its name which service it looked for, as in Consul. */
async function outcome<M extends ReadMethod>(server: TestServer, method: M, request: RpcRequest<M>): Promise<string> {
  try {
    const { value } = await server.port.call(method, request as never);
    return method === 'Snapshot.Save'
      ? 'an archive'
      : JSON.stringify(value, (_key, each: unknown) => (typeof each === 'bigint' ? String(each) : each)).replace(
          /^\{"Service":"canary","Nodes"/,
          '{"Nodes"',
        );
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Says so for everybody: public by Consul's documentation, or about the servers themselves. */
const PUBLIC: ReadonlySet<ReadMethod> = new Set<ReadMethod>([
  'ConnectCA.Roots',
  'Status.Leader',
  'Status.Peers',
  'Status.RaftStats',
  'Catalog.ListDatacenters',
]);

/** Answers about other things than names. */
const NAMELESS: ReadonlySet<ReadMethod> = new Set<ReadMethod>([
  ...PUBLIC,
  'Catalog.VirtualIp',
  'ConnectCA.ConfigurationGet',
  'Coordinate.ListDatacenters',
  'Event.Fire',
  'Intention.Check',
  'Operator.AutopilotGetConfiguration',
  'Operator.AutopilotState',
  'Operator.Keyring',
  'Operator.RaftGetConfiguration',
  'Operator.Usage',
  'Snapshot.Save',
]);

/** They refuse or hide what is there and do not find what is not, as Consul does: whether a name is taken is no secret here. */
const TELLING: ReadonlySet<ReadMethod> = new Set<ReadMethod>([
  'Intention.Get',
  'Intention.GetExact',
  'PreparedQuery.Get',
  'PreparedQuery.Execute',
  'PreparedQuery.Explain',
  'Txn.Read',
]);

describe('a read without rights (CVE-2020-7955, CVE-2022-3920, etcd CVE-2026-44283, CVE-2026-73499, CVE-2023-32082)', () => {
  it.each(Object.keys(MATCHING) as ReadMethod[])('%s tells nothing of what is there, whatever it is filtered by', async (method) => {
    const full = await start();
    const ids = await populate(full);
    const empty = await start();
    let seenByAll = false;
    for (const row of MATCHING[method]) {
      const request = withId(method, row, ids);
      current = allowAll;
      seenByAll ||= (await outcome(full, method, request)).includes(CANARY);
      current = denyAll;
      const answer = await outcome(full, method, request);
      if (PUBLIC.has(method)) continue;
      expect(answer).not.toBe('an archive');
      // Naming the refused object is no news: the caller named it.
      expect(answer.replace(/on "canary"$/, '')).not.toMatch(/canary(?!\\?")|"canary"/);
      if (!TELLING.has(method)) expect(answer).toBe(await outcome(empty, method, request));
    }
    // Where nobody sees it, nothing is shown by its absence.
    expect([method, seenByAll]).toEqual([method, !NAMELESS.has(method)]);
  });

  it('filters run on what may be seen, so they are no oracle for the rest (security.md 1.20.2 note on filters)', async () => {
    const server = await start();
    await populate(server);
    current = denyAll;
    const differing = rows(`ServiceMeta.secret == other or Meta.secret == other`, 'Meta.canary == other');
    for (const method of Object.keys(MATCHING) as ReadMethod[]) {
      for (const [position, request] of MATCHING[method].entries()) {
        const other = differing[method][position];
        if (other !== undefined) expect(await outcome(server, method, request)).toBe(await outcome(server, method, other));
      }
    }
  });
});
