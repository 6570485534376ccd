import { CONFIG_ENTRY_KINDS } from '@lictor/protocol';
import { describe, expect, it } from 'vitest';
import { allowAll, type Authorizer } from '../acl/index.ts';
import { configEntryAcl, isAuthorised } from './acl.ts';

function authorizer(...grants: readonly string[]): Authorizer {
  return {
    accessorId: 'a',
    allows: (resource, segment, access) => grants.includes(`${resource}:${segment}:${access}`),
    allowsPrefix: () => false,
    allowsAny: (resource, access) => grants.some((grant) => grant.startsWith(`${resource}:`) && grant.endsWith(`:${access}`)),
  };
}

describe('permissions per kind (consul-facts 5, last column)', () => {
  it.each([
    ['service-defaults', 'service:web:read', 'service:web:write'],
    ['service-router', 'service:web:read', 'service:web:write'],
    ['service-intentions', 'intention:web:read', 'intention:web:write'],
    ['ingress-gateway', 'service:web:read', 'mesh::write'],
    ['exported-services', 'mesh::read', 'operator::write'],
    ['jwt-provider', 'service:any:write', 'mesh::write'],
    ['http-route', 'operator::read', 'mesh::write'],
  ] as const)('%s: read with %s, write with %s', (kind, read, write) => {
    const acl = configEntryAcl(kind, 'web');
    expect(isAuthorised(authorizer(read), acl.read)).toBe(true);
    expect(isAuthorised(authorizer(write), acl.write)).toBe(true);
    expect(isAuthorised(authorizer('service:other:read'), acl.read)).toBe(false);
    expect(isAuthorised(authorizer('service:other:read', 'key:web:write'), acl.write)).toBe(false);
  });

  it('lets everyone read proxy-defaults and mesh, nobody write them without a grant', () => {
    for (const kind of ['proxy-defaults', 'mesh'] as const) {
      expect(isAuthorised(authorizer(), configEntryAcl(kind, 'x').read)).toBe(true);
      expect(isAuthorised(authorizer(), configEntryAcl(kind, 'x').write)).toBe(false);
    }
  });

  it('has a rule for every kind, which ACLs off satisfy', () => {
    for (const kind of CONFIG_ENTRY_KINDS) {
      const acl = configEntryAcl(kind, 'x');
      expect(acl.write.length).toBeGreaterThan(0);
      expect(isAuthorised(allowAll, [...acl.read, ...acl.write])).toBe(true);
    }
  });
});
