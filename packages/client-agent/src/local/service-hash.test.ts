import { normaliseService } from '@lictor/mesh';
import type { NodeService } from '@lictor/protocol';
import { describe, expect, it } from 'vitest';
import { hashService } from './service-hash.ts';
import { serviceOf } from './testing/harness.ts';

function service(fields: Readonly<Record<string, unknown>>): NodeService {
  return normaliseService(serviceOf(fields)).service;
}

describe('the content hash of a service (consul-facts H052)', () => {
  it('is the one that the tests of Consul 2.x expect', () => {
    const fields = { name: 'foo', tags: ['bar', 'baz'], port: 8000 };
    expect(hashService(service(fields))).toBe('1d5d568c14309fa8');
    expect(hashService({ ...service(fields), CreateIndex: 5, ModifyIndex: 7 })).toBe('1d5d568c14309fa8');
  });

  it('changes with everything that a proxy reads of it', () => {
    const proxy = { destination_service_name: 'web', destination_service_id: 'web' };
    const upstream = { destination_name: 'db', local_bind_port: 1 };
    const variants: readonly Readonly<Record<string, unknown>>[] = [
      {},
      { local_service_port: 1 },
      { local_service_ports: [{ name: 'http', port: 1 }] },
      { mode: 'transparent' },
      { config: { protocol: 'http' } },
      { config: { protocol: 'grpc' } },
      { config: { limits: { max: 1 } } },
      { config: { limits: { max: 2 } } },
      { upstreams: [upstream] },
      { upstreams: [upstream, { ...upstream, local_bind_port: 2 }] },
      { upstreams: [{ ...upstream, config: { connect_timeout_ms: 1 } }] },
      { upstreams: [{ ...upstream, destination_peer: 'east' }] },
      { upstreams: [{ ...upstream, destination_port: 'admin' }] },
      { upstreams: [{ ...upstream, mesh_gateway: { mode: 'local' } }] },
      { mesh_gateway: { mode: 'local' } },
      { expose: { checks: true } },
      { expose: { paths: [{ path: '/a', local_path_port: 1, listener_port: 2 }] } },
      { transparent_proxy: { dialed_directly: true } },
      { access_logs: { enabled: true } },
      { envoy_extensions: [{ Name: 'builtin/lua' }] },
    ];
    const hashes = variants.map((variant) =>
      hashService(service({ kind: 'connect-proxy', name: 'p', port: 2, proxy: { ...proxy, ...variant } })),
    );
    expect(new Set(hashes).size).toBe(variants.length);
  });

  it('changes with everything that the service says of itself', () => {
    const variants: readonly Readonly<Record<string, unknown>>[] = [
      {},
      { address: '10.0.0.1' },
      { tags: ['a', 'b'] },
      { tags: ['b', 'a'] },
      { meta: { a: 'b' } },
      { meta: { b: 'a' } },
      { tagged_addresses: { lan: { address: '10.0.0.1', port: 1 } } },
      { socket_path: '/run/web' },
      { weights: { passing: 2, warning: 1 } },
      { enable_tag_override: true },
      { connect: { native: true } },
      { AI: { Role: 'mcp-server' } },
    ];
    const hashes = variants.map((variant) => hashService(service({ name: 'web', ...variant })));
    expect(new Set(hashes).size).toBe(variants.length);
  });
});
