import type { Authorizer } from '@lictor/mesh';
import type { AddressOwner } from '@lictor/protocol';
import { beforeEach, describe, expect, it } from 'vitest';
import { createEndpointHarness, type EndpointHarness, registration } from '../../testing/endpoints.ts';
import { catalogWrites } from './catalog.ts';
import { virtualIpsTable } from '../../state/tables/virtual-ips.ts';
import { catalogAddressReads, catalogAddressWrites } from './catalog-address.ts';
import { configEntryWrites } from './config-entry.ts';

let server: EndpointHarness;
beforeEach(() => {
  server = createEndpointHarness();
});

const register = (body: Readonly<Record<string, unknown>>): Promise<void> =>
  server.call<'Catalog.Register'>(catalogWrites['Catalog.Register'], registration(body));

function limited(...rules: string[]): Authorizer {
  return {
    accessorId: 'a',
    allows: (resource, segment, access) => rules.includes(`${resource}:${segment}:${access}`),
    allowsPrefix: () => false,
    allowsAny: () => false,
  };
}

describe('who is at an address (consul-facts N010)', () => {
  const owner = (address: string, authorizer?: Authorizer): AddressOwner | null =>
    server.read<'Catalog.AddressOwner'>(catalogAddressReads['Catalog.AddressOwner'], { address }, authorizer).value;

  it('is the node, else the service with an instance there', async () => {
    await register({ Node: 'n1', Address: '10.0.0.1', Service: { Service: 'web', Address: '10.0.0.1' } });
    await register({ Node: 'n1', Address: '10.0.0.1', Service: { Service: 'db', Address: '10.0.0.9' } });
    expect(owner('10.0.0.1')).toEqual({ kind: 'node', name: 'n1' });
    expect(owner('10.0.0.9')).toEqual({ kind: 'service', name: 'db' });
    expect(owner('10.0.0.7')).toBeNull();
  });

  it('knows every spelling of an IPv6 address', async () => {
    await register({ Node: 'n6', Address: '2001:DB8::1' });
    expect(owner('2001:db8:0:0:0:0:0:1')).toEqual({ kind: 'node', name: 'n6' });
    expect(owner('2001:db8:0:0:0:0:0:2')).toBeNull();
    expect(owner('not:an:address')).toBeNull();
  });

  it('follows a changed address', async () => {
    await register({ Node: 'n1', Address: '10.0.0.1' });
    await register({ Node: 'n1', Address: '10.0.0.2' });
    expect([owner('10.0.0.1'), owner('10.0.0.2')?.name]).toEqual([null, 'n1']);
  });

  it('hides nodes and instances that the caller may not read', async () => {
    await register({ Node: 'n1', Address: '10.0.0.1', Service: { Service: 'db', Address: '10.0.0.1' } });
    expect(owner('10.0.0.1', limited('service:db:read'))).toBeNull();
    expect(owner('10.0.0.1', limited('node:n1:read'))).toEqual({ kind: 'node', name: 'n1' });
    const denied = server.read<'Catalog.AddressOwner'>(catalogAddressReads['Catalog.AddressOwner'], { address: '10.0.0.1' }, limited());
    expect(denied).toMatchObject({ value: null, isFiltered: true });
  });
});

describe('the virtual IP of a service (consul-facts E024)', () => {
  const address = (service: string, authorizer?: Authorizer): string =>
    server.read<'Catalog.VirtualIp'>(catalogAddressReads['Catalog.VirtualIp'], { service }, authorizer).value;

  it('is there for services in the mesh, and for those that only entries are about', async () => {
    await register({ Node: 'n1', Service: { Service: 'native', Port: 1, Connect: { Native: true } } });
    await register({ Node: 'n1', Service: { Service: 'plain' } });
    const entry = { Kind: 'service-defaults', Name: 'planned', Protocol: 'http' };
    await server.call<'ConfigEntry.Apply'>(configEntryWrites['ConfigEntry.Apply'], { entry });
    expect([address('native'), address('planned'), address('plain'), address('none')]).toEqual(['240.0.0.1', '240.0.0.2', '', '']);
  });

  it('needs service:read', () => {
    expect(() => address('web', limited())).toThrow('Permission denied');
  });
});

describe('virtual IPs that an operator assigns (consul-facts H151)', () => {
  const assign = (service: string, addresses: readonly string[], authorizer?: Authorizer) =>
    server.call<'Catalog.AssignManualIps'>(catalogAddressWrites['Catalog.AssignManualIps'], { service, addresses }, authorizer);
  const manualIps = () => Object.fromEntries([...server.reader().scan(virtualIpsTable)].map((row) => [row.Service, row.ManualIps]));

  beforeEach(async () => {
    for (const name of ['one', 'two']) await register({ Node: 'n1', Service: { Service: name, Port: 1, Connect: { Native: true } } });
  });

  it('replace what the service had, and go from one service to the next', async () => {
    expect(await assign('one', ['10.0.0.2', '10.0.0.1', '10.0.0.1'])).toEqual({ found: true, unassignedFrom: [] });
    expect(await assign('two', ['10.0.0.1', '10.0.0.3'])).toEqual({ found: true, unassignedFrom: ['one'] });
    expect(manualIps()).toEqual({ one: ['10.0.0.2'], two: ['10.0.0.1', '10.0.0.3'] });
    expect(await assign('ONE', [])).toEqual({ found: true, unassignedFrom: [] });
    expect(manualIps()).toEqual({ one: [], two: ['10.0.0.1', '10.0.0.3'] });
  });

  it('are taken from nobody for a service without a virtual IP', async () => {
    await assign('one', ['10.0.0.1']);
    expect(await assign('missing', ['10.0.0.1'])).toEqual({ found: false, unassignedFrom: [] });
    expect(manualIps()).toMatchObject({ one: ['10.0.0.1'] });
  });

  it('change nothing when they are the same', async () => {
    await assign('one', ['10.0.0.1', '10.0.0.2']);
    const before = server.reader().get(virtualIpsTable, 'one')?.ModifyIndex;
    await assign('one', ['10.0.0.2', '10.0.0.1']);
    expect(server.reader().get(virtualIpsTable, 'one')?.ModifyIndex).toBe(before);
  });

  it.each<[string, readonly string[], string]>([
    ['nine', Array.from({ length: 9 }, (_, position) => `10.0.0.${position}`), 'cannot associate more than 8 manual virtual IPs'],
    ['a name', ['db'], '"db" is not a valid IPv4 address'],
    ['IPv6', ['::1'], '"::1" is not a valid IPv4 address'],
  ])('are refused: %s', async (_what, addresses, message) => {
    await expect(assign('one', addresses)).rejects.toThrow(message);
    await expect(assign('one', ['10.0.0.1'], limited())).rejects.toThrow("lacks permission 'mesh:write'");
  });
});
