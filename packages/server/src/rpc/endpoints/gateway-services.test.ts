import type { Authorizer } from '@lictor/mesh';
import type { GatewayService, ServiceQuery } from '@lictor/protocol';
import { beforeEach, describe, expect, it } from 'vitest';
import { type Answer, createEndpointHarness, type EndpointHarness, registration } from '../../testing/endpoints.ts';
import { catalogReads, catalogWrites } from './catalog.ts';
import { configEntryWrites } from './config-entry.ts';
import { healthReads } from './health.ts';

let server: EndpointHarness;
beforeEach(() => {
  server = createEndpointHarness();
});

async function register(Service: string, more: Readonly<Record<string, unknown>> = {}, Node = 'n1'): Promise<void> {
  const body = registration({ Node, Service: { Service, Port: 1, ...more } });
  await server.call<'Catalog.Register'>(catalogWrites['Catalog.Register'], body);
}
const inMesh = { Connect: { Native: true } };

async function put(entry: Readonly<Record<string, unknown>>): Promise<void> {
  await server.call<'ConfigEntry.Apply'>(configEntryWrites['ConfigEntry.Apply'], { entry });
}

const ingress = (Services: readonly object[], Protocol = 'http', Name = 'edge') =>
  put({ Kind: 'ingress-gateway', Name, Listeners: [{ Port: 8080, Protocol, Services }] });
const terminating = (Services: readonly object[], Name = 'exit') => put({ Kind: 'terminating-gateway', Name, Services });

function answer(gateway: string, authorizer?: Authorizer): Answer<readonly GatewayService[]> {
  return server.read<'Catalog.GatewayServices'>(catalogReads['Catalog.GatewayServices'], { gateway }, authorizer);
}
const links = (gateway: string): readonly GatewayService[] => answer(gateway).value;
const names = (gateway: string): readonly string[] => links(gateway).map((link) => link.Service.Name);

function allow(...services: string[]): Authorizer {
  return {
    accessorId: 'a',
    allows: (resource, segment) => resource === 'node' || services.includes(segment),
    allowsPrefix: () => false,
    allowsAny: () => false,
  };
}

describe('what a gateway leads to (consul-facts H077)', () => {
  it('is what its entry names, with or without instances', async () => {
    await put({ Kind: 'service-defaults', Name: 'web', Protocol: 'http' });
    await ingress([{ Name: 'web', Hosts: ['www.example.com'] }]);
    expect(links('edge')).toMatchObject([
      {
        Gateway: { Name: 'edge' },
        Service: { Name: 'web' },
        GatewayKind: 'ingress-gateway',
        Port: 8080,
        Protocol: 'http',
        Hosts: ['www.example.com'],
      },
    ]);
    expect(links('edge')[0]).not.toHaveProperty('FromWildcard');
    expect(links('other')).toEqual([]);
  });

  it('tells how a terminating gateway speaks to the service', async () => {
    await register('db');
    await put({ Kind: 'service-defaults', Name: 'site', Protocol: 'tcp', Destination: { Addresses: ['example.com'], Port: 443 } });
    await terminating([
      { Name: 'db', CAFile: '/ca.pem', SNI: 'db.example', DisableAutoHostRewrite: true },
      { Name: 'site' },
      { Name: 'ghost' },
    ]);
    const [db, ghost, site] = links('exit');
    expect(db).toMatchObject({ GatewayKind: 'terminating-gateway', CAFile: '/ca.pem', SNI: 'db.example', ServiceKind: 'service' });
    expect(db).not.toHaveProperty('AutoHostRewrite');
    expect(ghost).not.toHaveProperty('ServiceKind');
    expect(site).toMatchObject({ ServiceKind: 'destination', AutoHostRewrite: true });
  });

  it('is, for the wildcard of an ingress gateway, every service in the mesh with the protocol of the listener', async () => {
    await put({ Kind: 'service-defaults', Name: 'web', Protocol: 'http' });
    await put({ Kind: 'service-defaults', Name: 'outside', Protocol: 'http' });
    await register('web');
    await register('web-sidecar', { Kind: 'connect-proxy', Proxy: { DestinationServiceName: 'web' } });
    await register('raw', inMesh);
    await register('outside');
    await register('consul', inMesh);
    await ingress([{ Name: '*' }]);
    expect(links('edge')).toMatchObject([{ Service: { Name: 'web' }, FromWildcard: true, Port: 8080 }]);
    await put({ Kind: 'proxy-defaults', Name: 'global', Config: { protocol: 'http' } });
    expect(names('edge')).toEqual(['raw', 'web']);
  });

  it('is, for the wildcard of a terminating gateway, every service that is not wholly in the mesh, and every destination', async () => {
    await put({ Kind: 'service-defaults', Name: 'site', Protocol: 'tcp', Destination: { Addresses: ['example.com'], Port: 443 } });
    await register('db');
    await register('native', inMesh);
    await register('mixed', { ID: 'm1', ...inMesh });
    await register('mixed', { ID: 'm2' });
    await register('gateway', { Kind: 'mesh-gateway' });
    await terminating([
      { Name: '*', CAFile: '/all.pem' },
      { Name: 'db', CAFile: '/db.pem' },
    ]);
    expect(links('exit').map((link) => [link.Service.Name, link.CAFile, link.FromWildcard ?? false])).toEqual([
      ['db', '/db.pem', false],
      ['mixed', '/all.pem', true],
      ['site', '/all.pem', true],
    ]);
  });

  it('is for those who may read the gateway, as far as they may read the services', async () => {
    await register('db');
    await terminating([{ Name: 'db' }, { Name: 'secret' }]);
    expect(() => answer('exit', allow('db'))).toThrow('lacks permission \'service:read\' on "exit"');
    const { value, isFiltered } = answer('exit', allow('exit', 'db'));
    expect([value.map((link) => link.Service.Name), isFiltered]).toEqual([['db'], true]);
  });
});

describe('gateways as instances of what they lead to (consul-facts H074, H082, H083)', () => {
  const find = (query: ServiceQuery, authorizer?: Authorizer): readonly string[] =>
    server
      .read<'Health.ServiceNodes'>(healthReads['Health.ServiceNodes'], query, authorizer)
      .value.map(({ Service: service }) => service.Service);

  beforeEach(async () => {
    await register('edge', { Kind: 'ingress-gateway' });
    await register('exit', { Kind: 'terminating-gateway' });
    await register('db');
    await register('web', inMesh);
  });

  it('answers an ingress query with the ingress gateways of the service', async () => {
    await ingress([{ Name: 'web' }], 'tcp');
    expect(find({ service: 'web', ingress: true })).toEqual(['edge']);
    expect(find({ service: 'db', ingress: true })).toEqual([]);
    expect(find({ service: 'web', connect: true })).toEqual(['web']);
  });

  it('answers a mesh query with terminating gateways behind the proxies, by name or wildcard', async () => {
    await terminating([{ Name: 'web' }]);
    expect(find({ service: 'web', connect: true })).toEqual(['web', 'exit']);
    expect(find({ service: 'db', connect: true })).toEqual([]);
    await terminating([{ Name: '*' }]);
    expect(find({ service: 'db', connect: true })).toEqual(['exit']);
    expect(find({ service: 'web', connect: true })).toEqual(['web']);
    expect(find({ service: 'nothing', connect: true })).toEqual([]);
  });

  it('hides gateways from who may not read them, and everything from who may not read the service', async () => {
    await terminating([{ Name: 'db' }]);
    expect(find({ service: 'db', connect: true }, allow('db'))).toEqual([]);
    expect(find({ service: 'db', connect: true }, allow('exit'))).toEqual([]);
    expect(find({ service: 'db', connect: true }, allow('db', 'exit'))).toEqual(['exit']);
  });
});
