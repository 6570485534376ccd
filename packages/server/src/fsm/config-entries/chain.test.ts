import type { ConfigEntry } from '@lictor/protocol';
import { beforeEach, describe, expect, it } from 'vitest';
import { parseConfigEntry } from '@lictor/mesh';
import { createTestStore, type TestStore } from '../../testing/store.ts';
import { CONFIG_ENTRY_APPLY, CONFIG_ENTRY_DELETE } from '../commands/config-entry.ts';
import { type EntryLookup, findChainProblem, protocolOf } from './chain.ts';

let store: TestStore;

beforeEach(() => {
  store = createTestStore();
});

type Fields = Readonly<Record<string, unknown>>;
const put = (Kind: string, Name: string, fields: Fields = {}): boolean =>
  store.apply(CONFIG_ENTRY_APPLY, { entry: parseConfigEntry({ Kind, Name, ...fields }) });
const remove = (kind: string, name: string): boolean => store.apply(CONFIG_ENTRY_DELETE, { kind, name });
const http = (...names: string[]): void => names.forEach((name) => put('service-defaults', name, { Protocol: 'http' }));

describe('entries of discovery chains (consul-facts E003-E005; texts of Consul)', () => {
  it('routers and splitters need an L7 protocol, now and after every change', () => {
    const refused = 'discovery chain "web" uses a protocol "tcp" that does not permit advanced routing or splitting behavior';
    expect(() => put('service-splitter', 'web', { Splits: [{ Weight: 100 }] })).toThrow(refused);
    expect(() => put('service-router', 'web', {})).toThrow(refused);
    put('proxy-defaults', 'global', { Config: { protocol: 'http' } });
    expect(put('service-splitter', 'web', { Splits: [{ Weight: 100 }] })).toBe(true);
    expect(() => remove('proxy-defaults', 'global')).toThrow(refused);
    http('web');
    expect(remove('proxy-defaults', 'global')).toBe(true);
    expect(() => remove('service-defaults', 'web')).toThrow(refused);
    remove('service-splitter', 'web');
    expect(remove('service-defaults', 'web')).toBe(true);
  });

  it('all services of a chain speak one protocol', () => {
    http('web', 'api');
    put('service-router', 'web', { Routes: [{ Match: { HTTP: { PathPrefix: '/api' } }, Destination: { Service: 'api' } }] });
    expect(() => put('service-defaults', 'api', { Protocol: 'grpc' })).toThrow(
      'discovery chain "web" uses inconsistent protocols; service "api" has "grpc" which is not "http"',
    );
    expect(() => put('service-resolver', 'web', { Failover: { '*': { Service: 'other' } } })).toThrow('uses inconsistent protocols');
  });

  it('a subset that is used exists', () => {
    http('web');
    const missing = 'service "web" does not have a subset named "v1"';
    const splits = { Splits: [{ Weight: 100, ServiceSubset: 'v1' }] };
    expect(() => put('service-splitter', 'web', splits)).toThrow(missing);
    put('service-resolver', 'web', { Subsets: { v1: { Filter: 'Service.Meta.version == 1' } } });
    expect(put('service-splitter', 'web', splits)).toBe(true);
    expect(() => remove('service-resolver', 'web')).toThrow(missing);
  });

  it('redirects do not go in circles', () => {
    put('service-resolver', 'a', { Redirect: { Service: 'b' } });
    put('service-resolver', 'b', { Redirect: { Service: 'c' } });
    expect(() => put('service-resolver', 'c', { Redirect: { Service: 'a' } })).toThrow('detected circular resolver redirect: [');
  });

  it('splitters do not go in circles', () => {
    http('a', 'b');
    put('service-splitter', 'a', { Splits: [{ Weight: 100, Service: 'b' }] });
    expect(() => put('service-splitter', 'b', { Splits: [{ Weight: 100, Service: 'a' }] })).toThrow(
      'detected circular reference: [splitter:b.default.default -> splitter:a.default.default -> splitter:b.default.default]',
    );
  });

  it('gateways of two kinds do not share a name', () => {
    put('terminating-gateway', 'gw', { Services: [{ Name: 'db' }] });
    expect(() => put('ingress-gateway', 'gw', { Listeners: [{ Port: 80, Protocol: 'tcp', Services: [{ Name: 'web' }] }] })).toThrow(
      'cannot create a "ingress-gateway" config entry with name "gw", a "terminating-gateway" config entry with that name already exists',
    );
  });

  it('services that peers share stay in this datacenter', () => {
    const failover = { Failover: { '*': { Datacenters: ['dc2'] } } };
    const exported = { Services: [{ Name: 'web', Consumers: [{ Peer: 'p' }] }] };
    put('service-resolver', 'web', failover);
    const refused = 'peer exported service "web" contains cross-datacenter failover';
    expect(() => put('exported-services', 'default', exported)).toThrow(refused);
    remove('service-resolver', 'web');
    put('exported-services', 'default', exported);
    expect(() => put('service-resolver', 'web', failover)).toThrow(refused);
    expect(put('service-resolver', 'api', failover)).toBe(true);
  });

  it('JWT providers that intentions name exist and stay', () => {
    http('web');
    const intentions = { Sources: [{ Name: '*', Action: 'allow' }], JWT: { Providers: [{ Name: 'okta' }] } };
    expect(() => put('service-intentions', 'web', intentions)).toThrow('Referenced JWT Provider does not exist. Provider Name: okta');
    put('jwt-provider', 'okta', { Issuer: 'i', JSONWebKeySet: { Local: { JWKS: 'eyJrZXlzIjogW119Cg==' } } });
    put('service-intentions', 'web', intentions);
    expect(() => remove('jwt-provider', 'okta')).toThrow('cannot delete jwt provider config entry referenced by an intention');
  });
});

describe('the protocol of a service', () => {
  const lookUp =
    (entries: Readonly<Record<string, Fields>>): EntryLookup =>
    (kind, name) =>
      entries[`${kind}/${name}`] as ConfigEntry | undefined;

  it('is its own, else that of proxy-defaults, else tcp', () => {
    const global = { Config: { protocol: 'HTTP' } };
    expect(protocolOf(lookUp({}), 'web')).toBe('tcp');
    expect(protocolOf(lookUp({ 'proxy-defaults/global': global }), 'web')).toBe('http');
    expect(protocolOf(lookUp({ 'proxy-defaults/global': global, 'service-defaults/web': { Protocol: 'grpc' } }), 'web')).toBe('grpc');
    expect(protocolOf(lookUp({ 'proxy-defaults/global': global, 'service-defaults/web': {} }), 'web')).toBe('tcp');
  });

  it('is found in no time where every splitter of many levels leads twice to the next', () => {
    const entries: EntryLookup = (kind, name) => {
      if (kind === 'service-defaults') return { Protocol: 'http' } as unknown as ConfigEntry;
      const next = { Service: String(Number(name) + 1) };
      return kind === 'service-splitter' && Number(name) < 40
        ? ({ Name: name, Splits: [next, { ...next }] } as unknown as ConfigEntry)
        : undefined;
    };
    expect(findChainProblem(entries, '0')).toBeUndefined();
  });

  it('comes to an end for entries that no endpoint would accept', () => {
    const self = { Name: 'web', Splits: [{ Service: 'WEB' }, { Service: 7 }, null] };
    const entries: EntryLookup = (kind, name) =>
      kind === 'service-splitter' && name.toLowerCase() === 'web' ? (self as unknown as ConfigEntry) : undefined;
    expect(findChainProblem(entries, 'web')).toContain('detected circular reference');
  });
});
