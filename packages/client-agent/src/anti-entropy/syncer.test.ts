import { LictorError, NO_TOKEN } from '@lictor/protocol';
import { afterEach, describe, expect, it } from 'vitest';
import { checkOf } from '../checks/testing/definitions.ts';
import { createTestAgent, serviceOf, type TestAgent } from '../local/testing/harness.ts';

const API = { token: NO_TOKEN, source: 'api' } as const;
const agents: TestAgent[] = [];
afterEach(async () => {
  for (const { agent } of agents.splice(0)) await agent.stop();
});

async function start(prepare: (test: TestAgent) => void = () => undefined, config = {}): Promise<TestAgent> {
  const test = createTestAgent(config);
  agents.push(test);
  prepare(test);
  await test.agent.start();
  await test.settle();
  return test;
}

const writes = ({ server }: TestAgent): number =>
  server.calls.filter(({ method }) => method === 'Catalog.Register' || method === 'Catalog.Deregister').length;
/** More than any interval between two full syncs. */
const FULL_MS = 121_000;

describe('anti-entropy', () => {
  it("writes the node with Consul's tagged addresses and meta", async () => {
    const { catalog } = await start(undefined, { nodeMeta: { rack: '7' } });
    expect(catalog.node).toEqual({
      ID: 'b7954a44-6b47-d167-ce15-bd81dcdc2d54',
      Address: '127.0.0.1',
      TaggedAddresses: { lan: '127.0.0.1', lan_ipv4: '127.0.0.1', wan: '127.0.0.1', wan_ipv4: '127.0.0.1' },
      Meta: { rack: '7', 'consul-network-segment': '', 'consul-version': '1.21.0' },
    });
  });

  it('writes a registration at once, its checks with it, and nothing again while all is as it was', async () => {
    const test = await start();
    const before = writes(test);
    await test.agent.services.register(serviceOf({ name: 'web', port: 1, checks: [{ ttl: '1h' }, { name: 'b', ttl: '1h' }] }), API);
    await test.settle();
    expect(writes(test) - before).toBe(1);
    expect([...test.catalog.checks.keys()]).toEqual(['service:web:1', 'service:web:2']);
    await test.clock.advance(10 * FULL_MS);
    expect(writes(test) - before).toBe(1);
  });

  it('removes from its own node what it does not know, but never the servers and their liveness check', async () => {
    const foreign = serviceOf({ name: 'old' });
    const test = await start();
    await test.agent.services.register(foreign, API);
    await test.agent.checks.register(checkOf({ name: 'stray', ttl: '1h' }), API);
    await test.settle();
    const [service, check] = [test.catalog.services.get('old'), test.catalog.checks.get('stray')];
    if (service === undefined || check === undefined) throw new Error('not registered');
    const second = await start(({ catalog }) => {
      catalog.node = test.catalog.node;
      catalog.services.set('old', service);
      catalog.services.set('consul', { ...service, ID: 'consul', Service: 'consul' });
      catalog.checks.set('stray', check);
      catalog.checks.set('serfHealth', { ...check, CheckID: 'serfHealth' });
    });
    expect([...second.catalog.services.keys()]).toEqual(['consul']);
    expect([...second.catalog.checks.keys()]).toEqual(['serfHealth']);
  });

  it('puts back what somebody changed or removed in the catalog', async () => {
    const test = await start();
    await test.agent.services.register(serviceOf({ name: 'web', port: 1, tags: ['a'], check: { ttl: '1h' } }), API);
    await test.settle();
    const known = test.catalog.services.get('web');
    if (known === undefined) throw new Error('not registered');
    test.catalog.services.set('web', { ...known, Port: 9, Tags: ['x'] });
    test.catalog.checks.delete('service:web');
    await test.clock.advance(FULL_MS);
    expect(test.catalog.services.get('web')).toMatchObject({ Port: 1, Tags: ['a'] });
    expect(test.catalog.checks.has('service:web')).toBe(true);
  });

  it('K015: takes over tags of services that allow it, and addresses that the servers gave', async () => {
    const test = await start();
    await test.agent.services.register(serviceOf({ name: 'web', port: 1, tags: ['a'], enable_tag_override: true }), API);
    await test.settle();
    const known = test.catalog.services.get('web');
    if (known === undefined) throw new Error('not registered');
    const before = writes(test);
    test.catalog.services.set('web', { ...known, Tags: ['b'], TaggedAddresses: { 'consul-virtual': { Address: '240.0.0.1', Port: 1 } } });
    await test.clock.advance(FULL_MS);
    expect(test.agent.services.get('web')).toMatchObject({
      Tags: ['b'],
      TaggedAddresses: { 'consul-virtual': { Address: '240.0.0.1', Port: 1 } },
    });
    expect(writes(test)).toBe(before);
  });

  it('deregisters a service with its checks', async () => {
    const test = await start();
    await test.agent.services.register(serviceOf({ name: 'web', check: { ttl: '1h' } }), API);
    await test.settle();
    await test.agent.services.deregister('web');
    await test.settle();
    expect(test.catalog.services.size + test.catalog.checks.size).toBe(0);
    const before = writes(test);
    await test.clock.advance(3 * FULL_MS);
    expect(writes(test)).toBe(before);
  });

  it('T005: sends a status at once and lets a change of output alone wait', async () => {
    const test = await start();
    await test.agent.checks.register(checkOf({ name: 'c', ttl: '10h' }), API);
    await test.settle();
    test.agent.checks.updateTtl('c', 'passing', 'one');
    await test.settle();
    expect(test.catalog.checks.get('c')).toMatchObject({ Status: 'passing', Output: 'one' });
    test.agent.checks.updateTtl('c', 'passing', 'two');
    await test.clock.advance(FULL_MS);
    expect(test.catalog.checks.get('c')?.Output).toBe('one');
    await test.clock.advance(10 * 60_000);
    expect(test.catalog.checks.get('c')?.Output).toBe('two');
  });

  it('keeps output to itself when told to', async () => {
    const test = await start(undefined, { discardCheckOutput: true });
    await test.agent.checks.register(checkOf({ name: 'c', ttl: '10h' }), API);
    test.agent.checks.updateTtl('c', 'passing', 'secret');
    await test.settle();
    expect(test.catalog.checks.get('c')).toMatchObject({ Status: 'passing', Output: '' });
  });

  it('retries after an outage until everything is there', async () => {
    const test = await start(({ catalog }) => (catalog.failure = new LictorError('unavailable', 'away')));
    await test.agent.services.register(serviceOf({ name: 'web', port: 1 }), API);
    await test.clock.advance(120_000);
    expect(test.catalog.services.size).toBe(0);
    expect(test.server.calls.length).toBeLessThan(40);
    test.catalog.failure = undefined;
    await test.clock.advance(30_000);
    expect([...test.catalog.services.keys()]).toEqual(['web']);
    expect(test.catalog.node).not.toBeNull();
  });

  it('does not hammer on a denial, and tries again when the row changes', async () => {
    const test = await start();
    test.catalog.failure = new LictorError('permission-denied', 'Permission denied');
    await test.agent.services.register(serviceOf({ name: 'web', port: 1 }), API);
    await test.settle();
    const before = writes(test);
    await test.settle();
    expect(writes(test)).toBe(before);
    expect(test.logger.lines).toContainEqual(expect.objectContaining({ message: 'Service registration blocked by ACLs' }));
    test.catalog.failure = undefined;
    await test.agent.services.register(serviceOf({ name: 'web', port: 2 }), API);
    await test.settle();
    expect(test.catalog.services.get('web')?.Port).toBe(2);
  });

  it('K032: deregisters a service that was critical for too long', async () => {
    const test = await start();
    const check = { ttl: '10s', deregister_critical_service_after: '90s', status: 'passing' };
    await test.agent.services.register(serviceOf({ name: 'web', port: 1, check }), API);
    await test.clock.advance(10_000 + 85_000);
    expect(test.agent.services.get('web')).toBeDefined();
    await test.clock.advance(36_000);
    expect(test.agent.services.get('web')).toBeUndefined();
    expect(test.catalog.services.size).toBe(0);
  });

  it('T006: raises a deregistration time below a minute', async () => {
    const test = await start();
    await test.agent.services.register(
      serviceOf({ name: 'web', port: 1, check: { ttl: '1s', deregister_critical_service_after: '1s' } }),
      API,
    );
    await test.clock.advance(59_000);
    expect(test.agent.services.get('web')).toBeDefined();
    await test.clock.advance(61_000);
    expect(test.agent.services.get('web')).toBeUndefined();
  });
});
