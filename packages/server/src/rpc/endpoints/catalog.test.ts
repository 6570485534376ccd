import { beforeEach, describe, expect, it } from 'vitest';
import { createEndpointHarness, type EndpointHarness, registration } from '../../testing/endpoints.ts';
import { catalogReads, catalogWrites } from './catalog.ts';
import { healthReads } from './health.ts';

let server: EndpointHarness;

beforeEach(() => {
  server = createEndpointHarness();
});

const register = (body: Readonly<Record<string, unknown>>): Promise<void> =>
  server.call<'Catalog.Register'>(catalogWrites['Catalog.Register'], registration(body));
const deregister = (body: Partial<{ Node: string; ServiceID: string; CheckID: string; Datacenter: string }>): Promise<void> =>
  server.call<'Catalog.Deregister'>(catalogWrites['Catalog.Deregister'], {
    Node: '',
    ServiceID: '',
    CheckID: '',
    Datacenter: '',
    Namespace: '',
    Partition: '',
    ...body,
  });
const nodes = (request = {}) => server.read<'Catalog.ListNodes'>(catalogReads['Catalog.ListNodes'], request);
const services = (request = {}) => server.read<'Catalog.ListServices'>(catalogReads['Catalog.ListServices'], request);
const instances = (service: string, request = {}) =>
  server.read<'Catalog.ServiceNodes'>(catalogReads['Catalog.ServiceNodes'], { service, ...request });
const nodeServices = (node: string, request = {}) =>
  server.read<'Catalog.NodeServices'>(catalogReads['Catalog.NodeServices'], { node, ...request });
const health = (service: string, request = {}) =>
  server.read<'Health.ServiceNodes'>(healthReads['Health.ServiceNodes'], { service, ...request });
const idsOf = (service: string, request = {}): string[] => instances(service, request).value.map(({ service: row }) => row.ID);

describe('registering (consul-facts H068; texts observed on 1.21)', () => {
  const refusals: readonly (readonly [string, Readonly<Record<string, unknown>>, string])[] = [
    ['no node', { Node: '' }, 'Must provide node'],
    ['no address', { Node: 'n3', Address: '' }, 'Must provide address if SkipNodeUpdate is not set'],
    ['a short node id', { Node: 'n3', ID: 'notuuid' }, 'Bad node ID: uuid string is wrong length'],
    ['a node id without dashes', { Node: 'n3', ID: 'x'.repeat(36) }, 'Bad node ID: uuid is improperly formatted'],
    [
      'a service id without name',
      { Node: 'n3', Service: { ID: 'x' } },
      'Must provide service name (Service.Service) when service ID is provided',
    ],
    ['another datacenter', { Node: 'n3', Datacenter: 'nope' }, 'No path to datacenter'],
    ['a peer', { Node: 'n3', PeerName: 'p' }, 'cannot register requests with PeerName in them'],
    ['a peer on a check', { Node: 'n3', Checks: [{ CheckID: 'c', PeerName: 'p' }] }, 'cannot register requests with PeerName in them'],
    ['any address', { Node: 'n3', Service: { Service: 's', Address: '0.0.0.0' } }, 'Invalid service address'],
    [
      'a proxy without destination',
      { Node: 'n3', Service: { Kind: 'connect-proxy', Service: 'p', Port: 1 } },
      '1 error occurred:\n\t* Proxy.DestinationServiceName must be non-empty for Connect proxy services\n\n',
    ],
    [
      'a check of another node',
      { Node: 'n3', Check: { Node: 'n4', CheckID: 'c' } },
      "Node 'n4' for check 'c' doesn't match register request node 'n3'",
    ],
    ['a check of an unknown service', { Node: 'n3', Check: { CheckID: 'c', ServiceID: 's' } }, "Unknown service ID 's' for check ID 'c'"],
    [
      'reserved metadata',
      { Node: 'n3', Service: { Service: 's', Meta: { 'consul-x': '1' } } },
      "failed inserting service: Invalid Service Meta for node n3 and serviceID s: Couldn't load metadata pair ('consul-x', '1'): Key prefix 'consul-' is reserved for internal use",
    ],
  ];
  for (const [what, body, message] of refusals) {
    it(`refuses ${what} and changes nothing`, async () => {
      await expect(register(body)).rejects.toThrow(message);
      expect(nodes().value).toEqual([]);
    });
  }

  it('keeps multi-port services with their default port (V001)', async () => {
    const Ports = [
      { Name: 'http', Port: 80, Default: true },
      { Name: 'admin', Port: 81, Default: false },
    ];
    await register({ Node: 'n1', Service: { Service: 'web', Ports } });
    expect(instances('web').value[0]?.service).toMatchObject({ Port: 80, Ports });
    await expect(register({ Node: 'n1', Service: { Service: 'web', Ports: [Ports[1]] } })).rejects.toThrow('exactly one default port');
  });

  it('defaults the service id to its name and the check id to its name', async () => {
    await register({ Node: 'n1', Service: { Service: 'db' }, Check: { Name: 'alive' } });
    expect(idsOf('db')).toEqual(['db']);
    expect(health('db').value[0]?.Checks).toMatchObject([{ CheckID: 'alive', Status: 'critical', ServiceID: '' }]);
  });

  it("gives a check its service's name and tags, and its type from its definition", async () => {
    const Check = { CheckID: 'c', Status: 'passing', ServiceID: 'db1', Definition: { TCP: 'localhost:1', Interval: '5s' } };
    await register({ Node: 'n1', Service: { ID: 'db1', Service: 'db', Tags: ['m'] }, Check });
    expect(health('db').value[0]?.Checks).toMatchObject([
      { ServiceName: 'db', ServiceTags: ['m'], Type: 'tcp', Definition: { TCP: 'localhost:1', Interval: 5000 } },
    ]);
    await register({ Node: 'n1', Service: { ID: 'db1', Service: 'sql', Tags: [] } });
    expect(health('sql').value[0]?.Checks).toMatchObject([{ ServiceName: 'sql', ServiceTags: [] }]);
  });

  it('takes weights that cannot be used for even ones, as clients without weights send zeros', async () => {
    await register({ Node: 'n1', Service: { Service: 'a', Weights: { Passing: 0, Warning: 0 } } });
    await register({ Node: 'n1', Service: { Service: 'b', Weights: { Passing: 10, Warning: 2 } } });
    expect(instances('a').value[0]?.service.Weights).toEqual({ Passing: 1, Warning: 1 });
    expect(instances('b').value[0]?.service.Weights).toEqual({ Passing: 10, Warning: 2 });
  });

  it('does not advance an index when nothing changes', async () => {
    const body = {
      Node: 'n1',
      NodeMeta: { a: 'b' },
      Service: { Service: 'db', Tags: ['m'], Port: 1 },
      Check: { CheckID: 'c', ServiceID: 'db' },
    };
    await register(body);
    const before = health('db');
    await register(body);
    expect(health('db')).toEqual(before);
    await register({ ...body, Node: 'N1' });
    expect(nodes().value).toMatchObject([{ Node: 'n1', ModifyIndex: 1 }]);
  });

  it('leaves the node alone with SkipNodeUpdate, but creates it', async () => {
    await register({ Node: 'n1', Address: '', SkipNodeUpdate: true });
    await register({ Node: 'n1', Address: '10.9.9.9' });
    await register({ Node: 'n1', Address: '10.0.0.2', SkipNodeUpdate: true, Service: { Service: 'db' } });
    expect(nodes().value).toMatchObject([{ Address: '10.9.9.9' }]);
  });

  it('finds names without regard to case, and shows them as written', async () => {
    await register({ Node: 'Node1', Service: { ID: 'DB-1', Service: 'Db' } });
    expect(idsOf('DB')).toEqual(['DB-1']);
    expect(nodeServices('NODE1').value?.Node.Node).toBe('Node1');
  });

  it('refuses control characters, which would break composite keys apart', async () => {
    await expect(register({ Node: 'a\u0000b' })).rejects.toThrow('control characters');
  });
});

describe('node identities', () => {
  const id = (digit: string): string => `${digit.repeat(8)}-${digit.repeat(4)}-${digit.repeat(4)}-${digit.repeat(4)}-${digit.repeat(12)}`;
  const alive = { CheckID: 'serfHealth', Status: 'passing' };

  it('renames a node that keeps its id, with what it has removed', async () => {
    await register({ Node: 'old', ID: id('1'), Service: { Service: 'db' } });
    await register({ Node: 'new', ID: id('1') });
    expect(nodes().value.map(({ Node }) => Node)).toEqual(['new']);
    expect(idsOf('db')).toEqual([]);
  });

  it('reserves the name of a living node', async () => {
    await register({ Node: 'n1', ID: id('1'), Check: alive });
    await expect(register({ Node: 'N1', ID: id('2') })).rejects.toThrow(
      `failed inserting node: Error while renaming Node ID: "${id('2')}": Node name N1 is reserved by node ${id('1')} with name n1 (10.0.0.1)`,
    );
    await register({ Node: 'n1', ID: id('1'), Check: { ...alive, Status: 'critical' } });
    await register({ Node: 'n1', ID: id('2') });
    expect(nodes().value).toMatchObject([{ ID: id('2') }]);
  });

  it('gives an id to a node that had none', async () => {
    await register({ Node: 'n1', Check: alive });
    await register({ Node: 'n1', ID: id('3') });
    expect(nodes().value).toMatchObject([{ Node: 'n1', ID: id('3') }]);
    expect(nodeServices(id('3')).value?.Node.Node).toBe('n1');
  });
});

describe('deregistering (consul-facts H069)', () => {
  beforeEach(async () => {
    const Checks = [
      { CheckID: 'node', Status: 'passing' },
      { CheckID: 'c', ServiceID: 'db', Status: 'passing' },
    ];
    await register({ Node: 'n1', Service: { Service: 'db' }, Checks });
  });

  it('takes a service away with its checks', async () => {
    await deregister({ Node: 'n1', ServiceID: 'db' });
    expect(idsOf('db')).toEqual([]);
    const checks = server.read<'Health.NodeChecks'>(healthReads['Health.NodeChecks'], { node: 'n1' });
    expect(checks.value.map(({ CheckID }) => CheckID)).toEqual(['node']);
  });

  it('takes a check away', async () => {
    await deregister({ Node: 'n1', CheckID: 'c' });
    expect(health('db').value[0]?.Checks.map(({ CheckID }) => CheckID)).toEqual(['node']);
  });

  it('takes a node away with all it has, so that nothing comes back with its name', async () => {
    await deregister({ Node: 'n1' });
    expect(nodes().value).toEqual([]);
    expect(services().value).toEqual({});
    await register({ Node: 'n1', Service: { Service: 'db' } });
    expect(health('db').value[0]?.Checks).toEqual([]);
  });

  it('is idempotent, and needs a node', async () => {
    await deregister({ Node: 'n1', ServiceID: 'nope' });
    await deregister({ Node: 'nope' });
    await expect(deregister({})).rejects.toThrow('Must provide node');
  });
});

describe('listing (consul-facts H071-H076)', () => {
  beforeEach(async () => {
    await register({ Node: 'n2', Service: { Service: 'db', ID: 'db2', Tags: ['Slave', 'v1'] } });
    await register({ Node: 'n1', NodeMeta: { env: 'prod' }, Service: { Service: 'db', ID: 'db1', Tags: ['master', 'v1'] } });
    await register({ Node: 'n1', SkipNodeUpdate: true, Service: { Service: 'web' } });
  });

  it('lists services with the union of their tags', () => {
    expect(services().value).toEqual({ db: ['Slave', 'master', 'v1'], web: [] });
    expect(services({ nodeMeta: { env: 'prod' } }).value).toEqual({ db: ['master', 'v1'], web: [] });
    expect(services({ nodeMeta: { env: 'test' } }).value).toEqual({});
  });

  it('keeps names like __proto__ apart from prototypes', async () => {
    await register({ Node: 'n1', Service: { Service: '__proto__', Tags: ['t'] } });
    expect(Object.keys(services().value)).toContain('__proto__');
    expect(Object.keys(nodeServices('n1').value?.Services ?? {})).toContain('__proto__');
  });

  it('lists instances by node and id; all tags must be there, without regard to case', () => {
    expect(idsOf('db')).toEqual(['db1', 'db2']);
    expect(idsOf('db', { tags: ['V1'] })).toEqual(['db1', 'db2']);
    expect(idsOf('db', { tags: ['v1', 'slave'] })).toEqual(['db2']);
    expect(idsOf('db', { nodeMeta: { env: 'prod' } })).toEqual(['db1']);
    expect(() => instances('')).toThrow('Must provide service name');
  });

  it('answers null for an unknown node, labelled with when a node last vanished', async () => {
    expect(nodeServices('nope')).toMatchObject({ value: null, index: 1 });
    await deregister({ Node: 'n2' });
    expect(nodeServices('nope')).toMatchObject({ value: null, index: 4 });
  });

  it('labels an unknown service with when a service last vanished', async () => {
    expect(instances('nope')).toMatchObject({ value: [], index: 1 });
    await deregister({ Node: 'n1', ServiceID: 'web' });
    expect(instances('nope').index).toBe(4);
    expect(health('nope').index).toBe(4);
  });
});

describe('the mesh index and virtual IPs (consul-facts H074, E024)', () => {
  const proxy = (of: string) => ({ Kind: 'connect-proxy', Service: `${of}-proxy`, Port: 21000, Proxy: { DestinationServiceName: of } });
  const virtualOf = (service: string): string | undefined =>
    instances(service, { connect: true }).value[0]?.service.TaggedAddresses?.['consul-virtual']?.Address;

  it('finds proxies by their destination and native instances by their name', async () => {
    await register({ Node: 'n1', Service: { Service: 'web', Port: 80 } });
    await register({ Node: 'n1', Service: proxy('web') });
    await register({ Node: 'n2', Service: { Service: 'web', ID: 'native', Port: 443, Connect: { Native: true } } });
    expect(idsOf('web', { connect: true })).toEqual(['web-proxy', 'native']);
    expect(idsOf('web-proxy', { connect: true })).toEqual([]);
  });

  it('gives every mesh service an address that all of its instances share', async () => {
    await register({ Node: 'n1', Service: proxy('web') });
    await register({ Node: 'n1', Service: proxy('api') });
    await register({ Node: 'n2', Service: proxy('web') });
    expect([virtualOf('web'), virtualOf('api')]).toEqual(['240.0.0.1', '240.0.0.2']);
    expect(instances('web', { connect: true }).value.map(({ service }) => service.TaggedAddresses)).toEqual(
      Array.from({ length: 2 }, () => ({ 'consul-virtual': { Address: '240.0.0.1', Port: 21000 } })),
    );
  });

  it('takes an address back with the last instance, and gives the lowest one out again', async () => {
    await register({ Node: 'n1', Service: proxy('web') });
    await register({ Node: 'n1', Service: proxy('api') });
    await register({ Node: 'n1', Service: { Service: 'web' } });
    await deregister({ Node: 'n1', ServiceID: 'web' });
    await register({ Node: 'n1', Service: proxy('third') });
    expect(virtualOf('third')).toBe('240.0.0.3');
    await deregister({ Node: 'n1', ServiceID: 'web-proxy' });
    await register({ Node: 'n1', Service: proxy('fourth') });
    expect(virtualOf('fourth')).toBe('240.0.0.1');
  });

  it('does not advance an index when an agent repeats a proxy without its virtual address', async () => {
    await register({ Node: 'n1', Service: proxy('web') });
    await register({ Node: 'n1', Service: proxy('web') });
    expect(instances('web', { connect: true }).index).toBe(1);
  });
});

describe('blocking semantics: what an answer depends on', () => {
  it("labels a service's answer with its own changes only", async () => {
    await register({ Node: 'n1', Service: { Service: 'a' } });
    await register({ Node: 'n2', Service: { Service: 'b' }, Check: { CheckID: 'b', ServiceID: 'b' } });
    const before = [health('a').index, instances('a').index];
    await register({ Node: 'n2', SkipNodeUpdate: true, Check: { CheckID: 'b', ServiceID: 'b', Status: 'passing' } });
    await deregister({ Node: 'n2', CheckID: 'b' });
    await deregister({ Node: 'n2', ServiceID: 'b' });
    await register({ Node: 'n3', Service: { Service: 'c' } });
    expect([health('a').index, instances('a').index]).toEqual(before);
  });

  it('moves with every change that the answer shows', async () => {
    const steps: (() => Promise<void>)[] = [
      () => register({ Node: 'n1', Service: { Service: 'a' } }),
      () => register({ Node: 'n1', Check: { CheckID: 'c', ServiceID: 'a' } }),
      () => register({ Node: 'n1', Check: { CheckID: 'c', ServiceID: 'a', Status: 'passing' } }),
      () => register({ Node: 'n1', Check: { CheckID: 'node', Status: 'passing' } }),
      () => deregister({ Node: 'n1', CheckID: 'node' }),
      () => deregister({ Node: 'n1', CheckID: 'c' }),
      () => register({ Node: 'n1', Address: '10.0.0.2' }),
      () => register({ Node: 'n2', Service: { Service: 'a' } }),
      () => deregister({ Node: 'n2' }),
      () => deregister({ Node: 'n1', ServiceID: 'a' }),
    ];
    let last = 0;
    for (const step of steps) {
      await step();
      const { index } = health('a');
      expect(index).toBe(server.store.appliedIndex);
      expect(index).toBeGreaterThan(last);
      last = index;
    }
  });
});
