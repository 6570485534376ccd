import { decode, intentionRequest, type ReadMethod, type RpcReply, type RpcRequest } from '@lictor/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { registration } from '../../testing/endpoints.ts';
import { createTestServer, type TestServer } from '../../testing/index.ts';

/** Longer than any wait here. */
const WAIT_MS = 60_000;
let server: TestServer;

beforeEach(async () => {
  server = await createTestServer();
  await register({ Node: 'n1', Service: { Service: 'a' } });
  await register({ Node: 'n2', Service: { Service: 'b' }, Check: { CheckID: 'b', ServiceID: 'b', Status: 'passing' } });
});
afterEach(() => server.stop());

const register = async (body: Readonly<Record<string, unknown>>): Promise<number> =>
  (await server.port.call('Catalog.Register', registration(body))).index;
const deregister = (Node: string, ServiceID = ''): Promise<unknown> =>
  server.port.call('Catalog.Deregister', { Node, ServiceID, CheckID: '', Datacenter: '', Namespace: '', Partition: '' });

interface Blocked<M extends ReadMethod> {
  readonly reply: Promise<RpcReply<M>>;
  isAnswered(): boolean;
}

/** A query that waits for something newer than its answer of now. */
async function block<M extends ReadMethod>(method: M, request: RpcRequest<M>): Promise<Blocked<M>> {
  const now = await server.port.call(method, request);
  const minIndex = (now as { readonly meta: { readonly index: number } }).meta.index;
  let answered = false;
  const reply = server.port.call(method, request, { query: { minIndex, maxWaitMs: WAIT_MS } });
  // Queries that are still waiting when the server stops are refused, which no test here is about.
  reply.then(
    () => {
      answered = true;
    },
    () => undefined,
  );
  await server.clock.advance(1);
  expect(answered).toBe(false);
  return { reply, isAnswered: () => answered };
}

describe('blocking queries over the catalog (consul-facts 2.0)', () => {
  it('sleep through changes of other services', async () => {
    const health = await block('Health.ServiceNodes', { service: 'a' });
    const instances = await block('Catalog.ServiceNodes', { service: 'a' });
    await register({ Node: 'n2', SkipNodeUpdate: true, Check: { CheckID: 'b', ServiceID: 'b', Status: 'critical' } });
    await register({ Node: 'n3', Service: { Service: 'c' } });
    await deregister('n2');
    await server.clock.advance(1);
    expect([health.isAnswered(), instances.isAnswered()]).toEqual([false, false]);
    const index = await register({ Node: 'n1', SkipNodeUpdate: true, Check: { CheckID: 'a', ServiceID: 'a', Status: 'passing' } });
    expect((await health.reply).meta.index).toBe(index);
    await server.clock.advance(1);
    expect(instances.isAnswered()).toBe(false);
  });

  it('wake for a new instance, for the last one that goes, and for the first that comes', async () => {
    const grown = await block('Health.ServiceNodes', { service: 'a' });
    await register({ Node: 'n9', Service: { Service: 'a' } });
    expect((await grown.reply).value).toHaveLength(2);
    await deregister('n9');
    const emptied = await block('Health.ServiceNodes', { service: 'a' });
    await deregister('n1', 'a');
    expect((await emptied.reply).value).toEqual([]);
    const refilled = await block('Catalog.ServiceNodes', { service: 'a' });
    await register({ Node: 'n1', Service: { Service: 'a' } });
    expect((await refilled.reply).value).toHaveLength(1);
  });

  it('wake for a change of the node, and for a check of the node', async () => {
    const moved = await block('Health.ServiceNodes', { service: 'a' });
    await register({ Node: 'n1', Address: '10.9.9.9' });
    expect((await moved.reply).value[0]?.Node.Address).toBe('10.9.9.9');
    const sick = await block('Health.ServiceNodes', { service: 'a' });
    await register({ Node: 'n1', SkipNodeUpdate: true, Check: { CheckID: 'disk' } });
    expect((await sick.reply).value[0]?.Checks).toHaveLength(1);
  });

  it('wake for a proxy under any name', async () => {
    const proxies = await block('Health.ServiceNodes', { service: 'a', connect: true });
    const Proxy = { DestinationServiceName: 'a' };
    await register({ Node: 'n1', Service: { Kind: 'connect-proxy', Service: 'odd-name', Port: 1, Proxy } });
    expect((await proxies.reply).value).toHaveLength(1);
  });

  it('wake when an unknown node comes', async () => {
    const unknown = await block('Catalog.NodeServices', { node: 'n5' });
    await register({ Node: 'n4' });
    await server.clock.advance(1);
    expect(unknown.isAnswered()).toBe(false);
    await register({ Node: 'n5' });
    expect((await unknown.reply).value?.Node.Node).toBe('n5');
  });

  it('wake when a service comes or goes that a gateway covers by wildcard', async () => {
    const entry = { Kind: 'terminating-gateway', Name: 'exit', Services: [{ Name: '*' }] };
    await server.port.call('ConfigEntry.Apply', { entry });
    await register({ Node: 'n9', Service: { Service: 'exit', Kind: 'terminating-gateway', Port: 1 } });
    const links = await block('Catalog.GatewayServices', { gateway: 'exit' });
    const instances = await block('Health.ServiceNodes', { service: 'late', connect: true });
    const index = await register({ Node: 'n1', Service: { Service: 'late' } });
    const { value, meta } = await links.reply;
    expect([value.map((link) => link.Service.Name), meta.index]).toEqual([['a', 'b', 'late'], index]);
    expect((await instances.reply).value.map(({ Service: service }) => service.Service)).toEqual(['exit']);
    const fewer = await block('Catalog.GatewayServices', { gateway: 'exit' });
    await deregister('n1', 'late');
    expect((await fewer.reply).value).toHaveLength(2);
  });

  it('wake when a gateway gets its entry, and not for the entry of another one', async () => {
    const put = (Name: string): Promise<unknown> =>
      server.port.call('ConfigEntry.Apply', { entry: { Kind: 'terminating-gateway', Name, Services: [{ Name: 'a' }] } });
    await put('third');
    const links = await block('Catalog.GatewayServices', { gateway: 'exit' });
    await put('other');
    await register({ Node: 'n9', Service: { Service: 'unrelated' } });
    await server.clock.advance(1);
    expect(links.isAnswered()).toBe(false);
    await put('exit');
    expect((await links.reply).value).toHaveLength(1);
  });

  it('watch intentions by destination, the wildcard included', async () => {
    const intention = decode(intentionRequest, { Action: 'allow' });
    const upsert = (source: string, destination: string): Promise<unknown> =>
      server.port.call('Intention.UpsertExact', { source, destination, intention });
    const match = await block('Intention.Match', { by: 'destination', names: ['db'] });
    await upsert('web', 'other');
    await server.clock.advance(1);
    expect(match.isAnswered()).toBe(false);
    await upsert('web', '*');
    expect((await match.reply).value[0]).toHaveLength(1);
  });
});
