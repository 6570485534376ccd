import type { Authorizer } from '@lictor/mesh';
import { LictorError } from '@lictor/protocol';
import { beforeEach, describe, expect, it } from 'vitest';
import { createEndpointHarness, type EndpointHarness, registration } from '../../testing/endpoints.ts';
import { catalogReads, catalogWrites } from './catalog.ts';
import { configEntryReads, configEntryWrites } from './config-entry.ts';

let server: EndpointHarness;

beforeEach(() => {
  server = createEndpointHarness();
});

const put = (entry: Readonly<Record<string, unknown>>, cas?: number, authorizer?: Authorizer): Promise<boolean> =>
  server.call<'ConfigEntry.Apply'>(configEntryWrites['ConfigEntry.Apply'], { entry, ...(cas === undefined ? {} : { cas }) }, authorizer);
const remove = (kind: string, name: string, cas?: number): Promise<boolean> =>
  server.call<'ConfigEntry.Delete'>(configEntryWrites['ConfigEntry.Delete'], { kind, name, ...(cas === undefined ? {} : { cas }) });
const get = (kind: string, name: string) => server.read<'ConfigEntry.Get'>(configEntryReads['ConfigEntry.Get'], { kind, name });
const list = (kind: string, filter?: string, authorizer?: Authorizer) =>
  server.read<'ConfigEntry.List'>(configEntryReads['ConfigEntry.List'], { kind, ...(filter === undefined ? {} : { filter }) }, authorizer);
const web = (fields = {}) => ({ Kind: 'service-defaults', Name: 'web', ...fields });

describe('writing entries (consul-facts H088, E019)', () => {
  it('does not advance an index when the content is the same', async () => {
    expect(await put(web({ Protocol: 'http' }))).toBe(true);
    expect(await put({ kind: 'service-defaults', name: 'web', protocol: 'http' })).toBe(true);
    expect(get('service-defaults', 'web')).toMatchObject({ index: 1, value: { Protocol: 'http', CreateIndex: 1, ModifyIndex: 1 } });
    expect(await put(web({ Protocol: 'grpc' }))).toBe(true);
    expect(get('service-defaults', 'web').value).toMatchObject({ Protocol: 'grpc', CreateIndex: 1, ModifyIndex: 2 });
  });

  it('compares and sets by ModifyIndex; 0 asks for a new entry', async () => {
    expect(await put(web(), 5)).toBe(false);
    expect(await put(web(), 0)).toBe(true);
    expect(await put(web({ Protocol: 'http' }), 0)).toBe(false);
    const { ModifyIndex } = get('service-defaults', 'web').value ?? { ModifyIndex: 0 };
    expect(await put(web({ Protocol: 'http' }), ModifyIndex)).toBe(true);
    expect(await remove('service-defaults', 'web', ModifyIndex)).toBe(false);
    expect(await remove('service-defaults', 'web', get('service-defaults', 'web').value?.ModifyIndex)).toBe(true);
    expect(get('service-defaults', 'web').value).toBeNull();
  });

  it('removes idempotently', async () => {
    expect(await remove('service-defaults', 'nope')).toBe(true);
    await expect(remove('bogus', 'x')).rejects.toThrow('invalid config entry kind: bogus');
  });

  it('refuses what mesh refuses, in its words', async () => {
    await expect(put({ Kind: 'bogus', Name: 'x' })).rejects.toThrow(
      new LictorError('invalid-argument', 'invalid config entry kind: bogus'),
    );
    await expect(put({ Kind: 'proxy-defaults', Name: 'other' })).rejects.toThrow('invalid name ("other"), only "global" is supported');
    expect(list('').value).toEqual([]);
  });
});

describe('listing entries (consul-facts H089, H090)', () => {
  it('lists one kind, or all', async () => {
    await put(web());
    await put({ Kind: 'service-defaults', Name: 'api', Protocol: 'http' });
    await put({ Kind: 'proxy-defaults', Name: 'global' });
    expect(list('service-defaults').value.map(({ Name }) => Name)).toEqual(['api', 'web']);
    expect(list('service-defaults', 'Protocol == http').value.map(({ Name }) => Name)).toEqual(['api']);
    expect(list('').value).toHaveLength(3);
    expect(list('sameness-group').value).toEqual([]);
    expect(() => list('bogus')).toThrow('invalid config entry kind: bogus');
    expect(() => list('proxy-defaults', 'Name == x')).toThrow('filtering not supported for config entry kind=proxy-defaults');
  });

  it('asks the rules of the kind', async () => {
    const limited: Authorizer = {
      accessorId: 'a',
      allows: (resource, segment, access) => resource === 'service' && segment === 'web' && access === 'read',
      allowsPrefix: () => false,
      allowsAny: () => false,
    };
    await put(web());
    await put({ Kind: 'service-defaults', Name: 'api' });
    expect(list('service-defaults', undefined, limited)).toMatchObject({ value: [{ Name: 'web' }], isFiltered: true });
    await expect(put(web({ Protocol: 'http' }), undefined, limited)).rejects.toThrow(
      `Permission denied: token with AccessorID 'a' lacks permission 'service:write' on "web"`,
    );
  });
});

describe('rules across entries (consul-facts E001-E007)', () => {
  const l7 = {
    Kind: 'service-intentions',
    Name: 'web',
    Sources: [{ Name: 'front', Permissions: [{ Action: 'allow', HTTP: { PathPrefix: '/v1' } }] }],
  };
  const incompatible = 'service "web" has protocol "tcp", which is incompatible with L7 intentions permissions';

  it('wants an L7 protocol for L7 permissions', async () => {
    await expect(put(l7)).rejects.toThrow(incompatible);
    await put(web({ Protocol: 'http' }));
    expect(await put(l7)).toBe(true);
  });

  it('refuses changes of the protocol that would break them', async () => {
    await put(web({ Protocol: 'http' }));
    await put(l7);
    await expect(put(web({ Protocol: 'tcp' }))).rejects.toThrow(incompatible);
    await expect(remove('service-defaults', 'web')).rejects.toThrow(incompatible);
    expect(get('service-defaults', 'web').value).toMatchObject({ Protocol: 'http' });
  });

  it('takes the protocol from proxy-defaults, and guards that too', async () => {
    const global = { Kind: 'proxy-defaults', Name: 'global', Config: { protocol: 'http' } };
    await put(global);
    expect(await put(l7)).toBe(true);
    await expect(remove('proxy-defaults', 'global')).rejects.toThrow(incompatible);
    await expect(put({ ...global, Config: { protocol: 'tcp' } })).rejects.toThrow(incompatible);
    await put(web({ Protocol: 'grpc' }));
    expect(await remove('proxy-defaults', 'global')).toBe(true);
  });

  it('wants permissive mutual TLS to be allowed first', async () => {
    await expect(put(web({ MutualTLSMode: 'permissive' }))).rejects.toThrow(
      'cannot set MutualTLSMode=permissive because AllowEnablingPermissiveMutualTLS=false in the mesh config entry',
    );
  });
});

describe('central configuration (consul-facts E020, E023)', () => {
  it('resolves the configuration of a service and its upstreams', async () => {
    await put({ Kind: 'proxy-defaults', Name: 'global', Config: { protocol: 'http', local_connect_timeout_ms: 1000 } });
    await put({ Kind: 'service-defaults', Name: 'api', Protocol: 'grpc' });
    const resolve = configEntryReads['ConfigEntry.ResolveServiceConfig'];
    const { value } = server.read<'ConfigEntry.ResolveServiceConfig'>(resolve, { service: 'web', upstreams: ['api'] });
    expect({ ...value.proxyConfig }).toEqual({ protocol: 'http', local_connect_timeout_ms: 1000 });
    expect(value.upstreamConfigs.api).toMatchObject({ protocol: 'grpc' });
  });

  it('is merged below proxies on demand, and wakes them when it changes', async () => {
    const Service = { Kind: 'connect-proxy', Service: 'web-proxy', Port: 1, Proxy: { DestinationServiceName: 'web' } };
    await server.call<'Catalog.Register'>(catalogWrites['Catalog.Register'], registration({ Node: 'n1', Service }));
    await put(web({ Protocol: 'http' }));
    const read = (mergeCentralConfig: boolean) =>
      server.read<'Catalog.ServiceNodes'>(catalogReads['Catalog.ServiceNodes'], { service: 'web-proxy', mergeCentralConfig });
    expect(read(false).value[0]?.service.Proxy.Config).toBeNull();
    expect({ ...read(true).value[0]?.service.Proxy.Config }).toEqual({ protocol: 'http' });
    expect([read(false).index, read(true).index]).toEqual([1, 2]);
  });

  it('reaches the upstreams of peers by peer and name, and never takes a local service for one', async () => {
    const Upstreams = [
      { DestinationName: 'db', DestinationPeer: 'east', LocalBindPort: 1 },
      { DestinationName: 'db', LocalBindPort: 2 },
    ];
    const Proxy = { DestinationServiceName: 'web', Upstreams };
    const Service = { Kind: 'connect-proxy', Service: 'web-proxy', Port: 1, Proxy };
    await server.call<'Catalog.Register'>(catalogWrites['Catalog.Register'], registration({ Node: 'n1', Service }));
    const Overrides = [{ Name: 'db', Peer: 'east', ConnectTimeoutMs: 7 }];
    await put(web({ UpstreamConfig: { Defaults: { ConnectTimeoutMs: 5, BalanceOutboundConnections: 'exact_balance' }, Overrides } }));
    await put({ Kind: 'service-defaults', Name: 'db', Protocol: 'http' });
    const { value } = server.read<'Catalog.ServiceNodes'>(catalogReads['Catalog.ServiceNodes'], {
      service: 'web-proxy',
      mergeCentralConfig: true,
    });
    const defaults = { balance_outbound_connections: 'exact_balance' };
    expect(value[0]?.service.Proxy.Upstreams.map(({ Config }) => ({ ...Config }))).toEqual([
      { ...defaults, connect_timeout_ms: 7 },
      { ...defaults, connect_timeout_ms: 5, protocol: 'http' },
    ]);
  });
});

describe('virtual IPs of configured services (consul-facts E024)', () => {
  it('come with the entry and stay as long as it does', async () => {
    await put(web());
    const Service = { Kind: 'connect-proxy', Service: 'p', Port: 1, Proxy: { DestinationServiceName: 'api' } };
    await server.call<'Catalog.Register'>(catalogWrites['Catalog.Register'], registration({ Node: 'n1', Service }));
    const read = (service: string) =>
      server.read<'Catalog.ServiceNodes'>(catalogReads['Catalog.ServiceNodes'], { service, connect: true }).value[0]?.service;
    expect(read('api')?.TaggedAddresses).toEqual({ 'consul-virtual': { Address: '240.0.0.2', Port: 1 } });
    await remove('service-defaults', 'web');
    const other = { ...Service, Service: 'q', Proxy: { DestinationServiceName: 'db' } };
    await server.call<'Catalog.Register'>(catalogWrites['Catalog.Register'], registration({ Node: 'n1', Service: other }));
    expect(read('db')?.TaggedAddresses).toEqual({ 'consul-virtual': { Address: '240.0.0.1', Port: 1 } });
  });
});
