import { type ConfigEntry, decode, type NodeService, serviceDefinition } from '@lictor/protocol';
import { describe, expect, it } from 'vitest';
import { normaliseService } from '../service/index.ts';
import { mergeServiceConfig } from './merge.ts';
import { parseConfigEntry } from './parse.ts';
import { type ResolveInput, resolveServiceConfig } from './resolve.ts';

function resolve(entries: readonly Record<string, unknown>[], input: Partial<ResolveInput> = {}): ReturnType<typeof resolveServiceConfig> {
  const parsed = new Map(entries.map(parseConfigEntry).map((entry): [string, ConfigEntry] => [`${entry.Kind}/${entry.Name}`, entry]));
  return resolveServiceConfig({
    service: 'web',
    upstreams: [],
    proxyDefaults: parsed.get('proxy-defaults/global') ?? null,
    serviceDefaults: (service) => parsed.get(`service-defaults/${service}`) ?? null,
    ...input,
  });
}

const proxyDefaults = (fields: Record<string, unknown>): Record<string, unknown> => ({ Kind: 'proxy-defaults', Name: 'global', ...fields });
const serviceDefaults = (name: string, fields: Record<string, unknown>): Record<string, unknown> => ({
  Kind: 'service-defaults',
  Name: name,
  ...fields,
});

function proxy(fields: Record<string, unknown>): NodeService {
  const body = { Name: 'web-proxy', Kind: 'connect-proxy', Port: 1, Proxy: { DestinationServiceName: 'web', ...fields } };
  return normaliseService(decode(serviceDefinition, body)).service;
}

describe('proxy configuration (consul-facts E020: registration > service-defaults > proxy-defaults)', () => {
  const entries = [
    proxyDefaults({
      Config: { protocol: 'http', a: 1, nested: { x: 1, y: 1 } },
      MeshGateway: { Mode: 'local' },
      Mode: 'transparent',
      Expose: { Checks: true },
    }),
    serviceDefaults('web', {
      Protocol: 'grpc',
      MaxInboundConnections: 5,
      MeshGateway: { Mode: 'remote' },
      Expose: { Paths: [{ Path: '/h', ListenerPort: 1 }] },
    }),
  ];

  it('puts service-defaults over proxy-defaults', () => {
    expect(resolve(entries)).toMatchObject({
      proxyConfig: { protocol: 'grpc', a: 1, max_inbound_connections: 5 },
      meshGateway: { Mode: 'remote' },
      mode: 'transparent',
      expose: { Checks: true, Paths: [{ Path: '/h' }] },
    });
  });

  it('puts the registration over both, map by map, and leaves its input alone', () => {
    const service = proxy({ Config: { a: 2, nested: { x: 9 } }, Mode: 'direct', MeshGateway: { Mode: 'none' } });
    const before = structuredClone(service);
    const merged = mergeServiceConfig(service, resolve(entries));
    expect(merged.Proxy).toMatchObject({
      Config: { a: 2, protocol: 'grpc', nested: { x: 9, y: 1 } },
      Mode: 'direct',
      MeshGateway: { Mode: 'none' },
    });
    expect(service).toEqual(before);
  });

  it('hands out nothing that a caller could change for the next one', () => {
    const parsed = entries.map(parseConfigEntry);
    const input = {
      service: 'web',
      upstreams: ['db'],
      proxyDefaults: parsed[0] ?? null,
      serviceDefaults: (service: string) => (service === 'web' ? (parsed[1] ?? null) : null),
    };
    const first = structuredClone(resolveServiceConfig(input));
    const merged = mergeServiceConfig(proxy({ Config: { nested: { z: 1 } } }), resolveServiceConfig(input));
    Object.assign(merged.Proxy.Config ?? {}, { a: 'changed' });
    merged.Proxy.Expose.Paths.push({ Path: '/x', ListenerPort: 2, LocalPathPort: 0, Protocol: '', ParsedFromCheck: false });
    merged.Proxy.MeshGateway.Mode = 'changed';
    expect(resolveServiceConfig(input)).toEqual(first);
  });

  it('changes nothing without entries', () => {
    const service = proxy({ Upstreams: [{ DestinationName: 'db', LocalBindPort: 1 }] });
    expect(mergeServiceConfig(service, resolve([], { upstreams: ['db'] }))).toEqual(service);
  });

  it('applies extensions of proxy-defaults first, access logs, and mutual TLS mode', () => {
    const merged = mergeServiceConfig(
      proxy({}),
      resolve([
        proxyDefaults({ EnvoyExtensions: [{ Name: 'one' }], AccessLogs: { Enabled: true }, MutualTLSMode: 'permissive' }),
        serviceDefaults('web', { EnvoyExtensions: [{ Name: 'two' }] }),
      ]),
    );
    expect(merged.Proxy.EnvoyExtensions?.map((extension) => extension.Name)).toEqual(['one', 'two']);
    expect(merged.Proxy).toMatchObject({ AccessLogs: { Enabled: true }, MutualTLSMode: 'permissive' });
  });
});

describe('upstream configuration (E020: upstream config > overrides > defaults > the destination itself)', () => {
  const entries = [
    proxyDefaults({ Config: { protocol: 'http' } }),
    serviceDefaults('db', { Protocol: 'tcp' }),
    serviceDefaults('web', {
      UpstreamConfig: {
        Defaults: { ConnectTimeoutMs: 1000, MeshGateway: { Mode: 'local' } },
        Overrides: [{ Name: 'db', ConnectTimeoutMs: 2000, Limits: { MaxConnections: 3 } }],
      },
    }),
  ];

  it('resolves each upstream in that order', () => {
    const { upstreamConfigs } = resolve(entries, { upstreams: ['db', 'api'] });
    expect(upstreamConfigs).toEqual({
      '*': { connect_timeout_ms: 1000, mesh_gateway: { Mode: 'local' } },
      db: { protocol: 'tcp', connect_timeout_ms: 2000, limits: { MaxConnections: 3 }, mesh_gateway: { Mode: 'local' } },
      api: { protocol: 'http', connect_timeout_ms: 1000, mesh_gateway: { Mode: 'local' } },
    });
  });

  it('says nothing about upstreams to a proxy that has none', () => {
    expect(resolve(entries).upstreamConfigs).toEqual({});
  });

  it('reaches transparent proxies as upstreams without a listener', () => {
    const service = proxy({ Mode: 'transparent' });
    const merged = mergeServiceConfig(service, resolve(entries, { mode: 'transparent' }));
    const ports = Object.fromEntries(merged.Proxy.Upstreams.map((upstream) => [upstream.DestinationName, upstream.LocalBindPort]));
    expect(ports).toEqual({ '*': 0, db: 0 });
  });

  it('merges into what the registration says', () => {
    const service = proxy({ Upstreams: [{ DestinationName: 'db', LocalBindPort: 1, Config: { connect_timeout_ms: 7 } }] });
    const merged = mergeServiceConfig(service, resolve(entries, { upstreams: ['db'] }));
    expect(merged.Proxy.Upstreams).toMatchObject([
      {
        DestinationName: 'db',
        MeshGateway: { Mode: 'local' },
        Config: { connect_timeout_ms: 7, protocol: 'tcp', limits: { MaxConnections: 3 } },
      },
    ]);
    expect(merged.Proxy.Upstreams[0]?.Config).not.toHaveProperty('mesh_gateway');
  });

  it("takes the proxy's own gateway mode over the defaults, below overrides", () => {
    const { upstreamConfigs } = resolve(entries, { upstreams: ['api'], meshGateway: { Mode: 'remote' } });
    expect(upstreamConfigs.api).toMatchObject({ mesh_gateway: { Mode: 'remote' } });
  });

  it("leaves the protocol of a peer's service to the peer", () => {
    const service = proxy({ Upstreams: [{ DestinationName: 'db', DestinationPeer: 'p', LocalBindPort: 1 }] });
    const merged = mergeServiceConfig(service, resolve(entries, { upstreams: ['p/db'] }));
    expect(merged.Proxy.Upstreams[0]?.Config).not.toHaveProperty('protocol');
  });
});
