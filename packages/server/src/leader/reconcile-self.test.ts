import { parseConfigEntry } from '@lictor/mesh';
import { silentLogger } from '@lictor/protocol';
import { FakeClock, MemoryLogger } from '@lictor/protocol/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CONFIG_ENTRY_APPLY } from '../fsm/commands/config-entry.ts';
import { readConfigEntry } from '../fsm/config-entries/write.ts';
import { catalogReads, catalogWrites } from '../rpc/endpoints/catalog.ts';
import { healthReads } from '../rpc/endpoints/health.ts';
import { createEndpointHarness, type EndpointHarness, registration } from '../testing/endpoints.ts';
import { bootstrapConfigEntries } from './bootstrap-config-entries.ts';
import { SelfReconciler } from './reconcile-self.ts';

const MEMBER = {
  nodeName: 'obs',
  nodeId: 'b7954a44-6b47-d167-ce15-bd81dcdc2d54',
  datacenter: 'dc1',
  address: '127.0.0.1',
  rpcPort: 8300,
  version: '1.21.0',
  grpcPort: 8502,
  grpcTlsPort: 0,
};
let server: EndpointHarness;
let clock: FakeClock;
let reconciler: SelfReconciler;
let isBroken: boolean;

beforeEach(() => {
  server = createEndpointHarness();
  clock = new FakeClock();
  isBroken = false;
  reconciler = new SelfReconciler(MEMBER, {
    clock,
    logger: silentLogger,
    reader: () => server.reader(),
    propose: async (type, body) => {
      if (isBroken) throw new Error('lost');
      server.apply(type, body);
    },
  });
});
afterEach(() => reconciler.stop());

const consul = () => server.read<'Health.ServiceNodes'>(healthReads['Health.ServiceNodes'], { service: 'consul' }).value[0];
const pass = (ms: number): Promise<void> => clock.advance(ms);

describe("the leader's own node (observed: catalog and health of 1.21)", () => {
  it('has the consul service and a passing serfHealth check', async () => {
    await reconciler.start();
    expect(consul()).toMatchObject({
      Node: { Node: 'obs', ID: MEMBER.nodeId, Address: '127.0.0.1', Meta: { 'consul-version': '1.21.0' } },
      Service: { ID: 'consul', Port: 8300, Meta: { grpc_port: '8502', raft_version: '3', version: '1.21.0' } },
      Checks: [{ CheckID: 'serfHealth', Name: 'Serf Health Status', Status: 'passing', Output: 'Agent alive and reachable' }],
    });
    expect(consul()?.Service.Meta).not.toHaveProperty('grpc_tls_port');
  });

  it('is repaired when something is missing, and otherwise left alone', async () => {
    await reconciler.start();
    const Update = { Node: 'obs', ID: MEMBER.nodeId, Address: '127.0.0.1', NodeMeta: { mine: '1' }, TaggedAddresses: { lan: '127.0.0.1' } };
    await server.call<'Catalog.Register'>(catalogWrites['Catalog.Register'], registration(Update));
    const { appliedIndex } = server.store;
    await pass(60_000);
    expect(server.store.appliedIndex).toBe(appliedIndex);
    const Deregister = { Node: 'obs', ServiceID: 'consul', CheckID: '', Datacenter: '', Namespace: '', Partition: '' };
    await server.call<'Catalog.Deregister'>(catalogWrites['Catalog.Deregister'], Deregister);
    await pass(60_000);
    expect(consul()?.Node).toMatchObject({ Meta: { mine: '1' }, TaggedAddresses: { lan: '127.0.0.1' } });
  });

  it('is tried again soon after a failure, until leadership is lost', async () => {
    isBroken = true;
    await reconciler.start();
    isBroken = false;
    await pass(1000);
    expect(consul()).toBeDefined();
    reconciler.stop();
    server.apply('catalog.deregister', { node: 'obs', serviceId: '', checkId: '' });
    await pass(600_000);
    expect(server.read<'Catalog.ListNodes'>(catalogReads['Catalog.ListNodes'], {}).value).toEqual([]);
  });
});

describe('config entries of the configuration (consul-facts K067)', () => {
  const entry = { kind: 'service-defaults', name: 'web', protocol: 'http' };
  const bootstrap = (...entries: Readonly<Record<string, unknown>>[]): Promise<void> =>
    bootstrapConfigEntries(entries, {
      logger: new MemoryLogger(),
      reader: () => server.reader(),
      propose: async (type, body) => server.apply(type, body),
    });

  it('are written when they do not exist', async () => {
    await bootstrap(entry);
    expect(readConfigEntry(server.reader(), 'service-defaults', 'web')).toMatchObject({ Protocol: 'http' });
  });

  it('never overwrite what an operator wrote', async () => {
    server.apply(CONFIG_ENTRY_APPLY, { entry: parseConfigEntry({ ...entry, protocol: 'grpc' }) });
    await bootstrap(entry);
    expect(readConfigEntry(server.reader(), 'service-defaults', 'web')).toMatchObject({ Protocol: 'grpc' });
  });

  it('are all validated before the first is written', async () => {
    await expect(bootstrap(entry, { kind: 'bogus', name: 'x' })).rejects.toThrow(
      'config_entries.bootstrap[1]: invalid config entry kind: bogus',
    );
    expect(server.store.appliedIndex).toBe(0);
  });
});
