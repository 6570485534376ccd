import { allowAll, type Authorizer } from '@lictor/mesh';
import { LictorError, type RegisterRequest } from '@lictor/protocol';
import { beforeEach, describe, expect, it } from 'vitest';
import { createEndpointHarness, type EndpointHarness, registration } from '../../testing/endpoints.ts';
import { catalogReads, catalogWrites } from './catalog.ts';

let server: EndpointHarness;

beforeEach(() => {
  server = createEndpointHarness();
});

const register = (body: Readonly<Record<string, unknown>>): Promise<void> =>
  server.call<'Catalog.Register'>(catalogWrites['Catalog.Register'], registration(body));

describe('access (consul-facts H068-H083, ACL column)', () => {
  const limited = (...rules: string[]): Authorizer => ({
    accessorId: 'ed774f5f-42c5-d571-12ce-a7406ed6c896',
    allows: (resource, segment, access) => rules.includes(`${resource}:${segment}:${access}`),
    allowsPrefix: () => false,
    allowsAny: () => false,
  });
  const registerAs = (authorizer: Authorizer, body: RegisterRequest): Promise<void> =>
    server.call<'Catalog.Register'>(catalogWrites['Catalog.Register'], body, authorizer);

  it('shows what the caller may read and says that there is more', async () => {
    await register({ Node: 'n1', Service: { Service: 'a' } });
    await register({ Node: 'n1', Service: { Service: 'b' } });
    const reader = limited('node:n1:read', 'service:a:read');
    const list = server.read<'Catalog.ListServices'>(catalogReads['Catalog.ListServices'], {}, reader);
    expect(list).toMatchObject({ value: { a: [] }, isFiltered: true });
    const node = server.read<'Catalog.NodeServices'>(catalogReads['Catalog.NodeServices'], { node: 'n1' }, reader);
    expect(Object.keys(node.value?.Services ?? {})).toEqual(['a']);
    const hidden = server.read<'Catalog.NodeServices'>(catalogReads['Catalog.NodeServices'], { node: 'n1' }, limited());
    expect(hidden).toMatchObject({ value: null, isFiltered: true });
    expect(server.read<'Catalog.ListServices'>(catalogReads['Catalog.ListServices'], {}).isFiltered).toBe(false);
  });

  it('needs service:write for the service, its old self and its destination, node:write for a changed node', async () => {
    const body = registration({ Node: 'n1', Service: { ID: 'x', Service: 'a' } });
    await expect(registerAs(limited('service:a:write'), body)).rejects.toThrow(
      `Permission denied: token with AccessorID 'ed774f5f-42c5-d571-12ce-a7406ed6c896' lacks permission 'node:write' on "n1"`,
    );
    await registerAs(allowAll, body);
    await registerAs(limited('service:a:write'), body);
    const takeover = registration({ Node: 'n1', Service: { ID: 'x', Service: 'b' } });
    await expect(registerAs(limited('service:b:write'), takeover)).rejects.toThrow(
      new LictorError('permission-denied', 'Permission denied'),
    );
    const proxy = registration({
      Node: 'n1',
      Service: { Kind: 'connect-proxy', Service: 'p', Port: 1, Proxy: { DestinationServiceName: 'a' } },
    });
    await expect(registerAs(limited('service:p:write'), proxy)).rejects.toThrow('lacks permission \'service:write\' on "a"');
  });

  it('lets node:write deregister all, and service:write its own service only', async () => {
    await register({ Node: 'n1', Service: { Service: 'a' } });
    const call = (authorizer: Authorizer, ServiceID: string): Promise<void> =>
      server.call<'Catalog.Deregister'>(
        catalogWrites['Catalog.Deregister'],
        { Node: 'n1', ServiceID, CheckID: '', Datacenter: '', Namespace: '', Partition: '' },
        authorizer,
      );
    await expect(call(limited(), 'a')).rejects.toThrow('lacks permission \'service:write\' on "a"');
    await expect(call(limited(), 'nope')).rejects.toThrow("Unknown service ID 'nope'");
    await call(limited('service:a:write'), 'a');
    expect(server.read<'Catalog.ListServices'>(catalogReads['Catalog.ListServices'], {}).value).toEqual({});
  });
});
