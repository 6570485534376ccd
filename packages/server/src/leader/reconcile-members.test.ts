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
import type { NodeMember } from '../cluster/directory.ts';
import { MemberReconciler } from './reconcile-members.ts';

const SELF: NodeMember = {
  id: 'b7954a44-6b47-d167-ce15-bd81dcdc2d54',
  name: 'obs',
  datacenter: 'dc1',
  address: '127.0.0.1',
  version: '1.21.0',
  status: 'alive',
  server: { rpcPort: 8300, grpcPort: 8502, grpcTlsPort: 0 },
};
const OTHER: NodeMember = { ...SELF, id: '00000000-0000-0000-0000-000000000002', name: 'other', address: '::2' };
const CLIENT: NodeMember = { ...OTHER, name: 'client', server: null };

let server: EndpointHarness;
let clock: FakeClock;
let reconciler: MemberReconciler;
let isBroken: boolean;
let attempts: number;
let members: readonly NodeMember[];
let refused: string;
const listeners = new Set<() => void>();

beforeEach(() => {
  server = createEndpointHarness();
  clock = new FakeClock();
  isBroken = false;
  attempts = 0;
  refused = '';
  members = [SELF];
  listeners.clear();
  reconciler = new MemberReconciler(SELF.id, {
    clock,
    logger: silentLogger,
    nodes: {
      members: () => members,
      onChange: (listener) => {
        listeners.add(listener);
        return () => void listeners.delete(listener);
      },
    },
    reader: () => server.reader(),
    propose: async (type, body) => {
      attempts++;
      if (isBroken || (refused !== '' && JSON.stringify(body).includes(refused))) throw new Error('lost');
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
      Node: { Node: 'obs', ID: SELF.id, Address: '127.0.0.1', Meta: { 'consul-version': '1.21.0' } },
      Service: { ID: 'consul', Port: 8300, Meta: { grpc_port: '8502', raft_version: '3', version: '1.21.0' } },
      Checks: [{ CheckID: 'serfHealth', Name: 'Serf Health Status', Status: 'passing', Output: 'Agent alive and reachable' }],
    });
    expect(consul()?.Service.Meta).not.toHaveProperty('grpc_tls_port');
  });

  it('is repaired when something is missing, and otherwise left alone', async () => {
    await reconciler.start();
    const Update = { Node: 'obs', ID: SELF.id, Address: '127.0.0.1', NodeMeta: { mine: '1' }, TaggedAddresses: { lan: '127.0.0.1' } };
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

const know = async (...others: readonly NodeMember[]): Promise<void> => {
  members = [SELF, ...others];
  for (const listener of listeners) listener();
  await clock.advance(0);
};
const nodes = (): string[] => server.read<'Catalog.ListNodes'>(catalogReads['Catalog.ListNodes'], {}).value.map(({ Node }) => Node);
const checkOf = (node: string) => server.read<'Health.NodeChecks'>(healthReads['Health.NodeChecks'], { node }).value[0];

describe('the other members', () => {
  it('are in the catalog with their own address and service as soon as the directory has them', async () => {
    await reconciler.start();
    await know(OTHER);
    const [, instance] = server.read<'Health.ServiceNodes'>(healthReads['Health.ServiceNodes'], { service: 'consul' }).value;
    expect(instance).toMatchObject({
      Node: { Node: 'other', ID: OTHER.id, Address: '::2' },
      Service: { Port: 8300 },
      Checks: [{ Status: 'passing' }],
    });
  });

  it('have a critical check when they failed, keep their node, and are well again when they are back', async () => {
    await reconciler.start();
    await know(OTHER);
    await know({ ...OTHER, status: 'failed' });
    expect(checkOf('other')).toMatchObject({ CheckID: 'serfHealth', Status: 'critical', Output: 'Agent not live or unreachable' });
    const { appliedIndex } = server.store;
    await clock.advance(120_000);
    expect(server.store.appliedIndex).toBe(appliedIndex);
    await know(OTHER);
    expect(checkOf('other')).toMatchObject({ Status: 'passing', Output: 'Agent alive and reachable' });
  });

  it('are not put into the catalog because they failed', async () => {
    await reconciler.start();
    await know({ ...OTHER, status: 'failed' });
    expect(nodes()).toEqual(['obs']);
  });

  it('are gone when they left, the leader excepted', async () => {
    await reconciler.start();
    await know(OTHER);
    await know({ ...OTHER, status: 'left' });
    expect(nodes()).toEqual(['obs']);
    members = [{ ...SELF, status: 'left' }];
    for (const listener of listeners) listener();
    await clock.advance(60_000);
    expect(nodes()).toEqual(['obs']);
  });

  it('may be followed by one of the same name with another id, whatever becomes of the former', async () => {
    await reconciler.start();
    await know(OTHER);
    const successor = { ...OTHER, id: '00000000-0000-0000-0000-000000000003', address: '127.0.0.3' };
    await know({ ...OTHER, status: 'failed' }, successor);
    const [node] = server.read<'Catalog.ListNodes'>(catalogReads['Catalog.ListNodes'], { filter: 'Node == other' }).value;
    expect(node).toMatchObject({ ID: successor.id, Address: '127.0.0.3' });
    expect(checkOf('other')).toMatchObject({ Status: 'passing' });
    await know({ ...OTHER, status: 'left' }, successor);
    expect(nodes()).toEqual(['obs', 'other']);
  });

  it('may take the name of a server that nobody knows any more', async () => {
    await reconciler.start();
    await know(OTHER);
    const successor = { ...OTHER, id: '00000000-0000-0000-0000-000000000003' };
    await know(successor);
    const [node] = server.read<'Catalog.ListNodes'>(catalogReads['Catalog.ListNodes'], { filter: 'Node == other' }).value;
    expect([node?.ID, checkOf('other')?.Status]).toEqual([successor.id, 'passing']);
  });

  it('are tried again ever more seldom while the catalog refuses them', async () => {
    await reconciler.start();
    isBroken = true;
    const before = attempts;
    await know(OTHER);
    await clock.advance(63_000);
    expect(attempts - before).toBe(7);
  });

  it('do not wait for one whose registration is refused', async () => {
    refused = OTHER.id;
    await reconciler.start();
    const third = { ...OTHER, id: '00000000-0000-0000-0000-000000000004', name: 'third' };
    await know(OTHER, third);
    expect(nodes()).toEqual(['obs', 'third']);
    refused = '';
    await clock.advance(1000);
    expect(checkOf('other')).toMatchObject({ Status: 'passing', Output: 'Agent alive and reachable' });
  });
});

describe('clients', () => {
  it('have a node with serfHealth, and no service', async () => {
    await reconciler.start();
    await know(CLIENT);
    expect(checkOf('client')).toMatchObject({ CheckID: 'serfHealth', Status: 'passing' });
    expect(server.read<'Health.ServiceNodes'>(healthReads['Health.ServiceNodes'], { service: 'consul' }).value).toHaveLength(1);
  });

  it('that were servers have the consul service no more', async () => {
    await reconciler.start();
    await know(OTHER);
    await know({ ...OTHER, server: null });
    expect(server.read<'Health.ServiceNodes'>(healthReads['Health.ServiceNodes'], { service: 'consul' }).value).toHaveLength(1);
    expect(checkOf('other')?.Status).toBe('passing');
  });

  it('that come back empty under their old name take their node over', async () => {
    await reconciler.start();
    await know(CLIENT);
    await know({ ...CLIENT, id: '00000000-0000-0000-0000-000000000007' });
    const [node] = server.read<'Catalog.ListNodes'>(catalogReads['Catalog.ListNodes'], { filter: 'Node == client' }).value;
    expect(node?.ID).toBe('00000000-0000-0000-0000-000000000007');
  });

  it('that gossip has forgotten leave the catalog, after a while of leading; external nodes stay', async () => {
    await server.call<'Catalog.Register'>(catalogWrites['Catalog.Register'], registration({ Node: 'external', Address: '10.0.0.9' }));
    await reconciler.start();
    await know(CLIENT);
    await know();
    await clock.advance(299_000);
    expect(nodes()).toEqual(['client', 'external', 'obs']);
    await clock.advance(120_000);
    expect(nodes()).toEqual(['external', 'obs']);
  });

  it('are not taken for forgotten because a new leader has not met them yet', async () => {
    await reconciler.start();
    await know(CLIENT);
    for (let term = 0; term < 4; term++) {
      await know();
      await clock.advance(200_000);
      reconciler.stop();
      await reconciler.start();
    }
    expect(nodes()).toEqual(['client', 'obs']);
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
