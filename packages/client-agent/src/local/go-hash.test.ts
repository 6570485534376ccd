import { describe, expect, it } from 'vitest';
import { hashBoolean, hashInteger, hashJson, hashList, hashMap, hashNil, hashString, hashStruct } from './go-hash.ts';

// The expected hashes are those that real Consul 1.21 answered for these services (packages/conformance/testdata/observed).
describe('the structural hash of Go values', () => {
  it('is what Consul 1.21 gave a plain service', () => {
    const hash = agentService({
      ID: hashString('web'),
      Service: hashString('web'),
      Tags: hashList([hashString('v1'), hashString('primary')]),
      Meta: hashMap([['version', hashString('1')]]),
      Port: hashInteger(8080),
    });
    expect(hash.toString(16)).toBe('f618c70e3fb670e');
  });

  it('is what Consul 1.21 gave a sidecar with an upstream', () => {
    const meshGateway = hashStruct('MeshGatewayConfig', { Mode: hashString('') });
    const upstream = hashStruct('Upstream', {
      ...strings('DestinationPartition', 'DestinationNamespace', 'DestinationPeer', 'Datacenter', 'LocalBindAddress'),
      ...strings('LocalBindSocketPath', 'LocalBindSocketMode'),
      DestinationType: hashString('service'),
      DestinationName: hashString('socat'),
      LocalBindPort: hashInteger(9191),
      Config: hashMap([]),
      MeshGateway: meshGateway,
      CentrallyConfigured: hashBoolean(false),
    });
    const proxy = hashStruct('AgentServiceConnectProxyConfig', {
      ...strings('LocalServiceSocketPath', 'Mode'),
      EnvoyExtensions: hashList([]),
      DestinationServiceName: hashString('web'),
      DestinationServiceID: hashString('web'),
      LocalServiceAddress: hashString('127.0.0.1'),
      LocalServicePort: hashInteger(8080),
      TransparentProxy: hashNil(),
      Config: hashMap([]),
      Upstreams: hashList([upstream]),
      MeshGateway: meshGateway,
      Expose: hashStruct('ExposeConfig', { Checks: hashBoolean(false), Paths: hashList([]) }),
      AccessLogs: hashNil(),
    });
    const hash = agentService({
      Kind: hashString('connect-proxy'),
      ID: hashString('web-sidecar-proxy'),
      Service: hashString('web-sidecar-proxy'),
      Tags: hashList([hashString('v1'), hashString('primary')]),
      Meta: hashMap([['version', hashString('1')]]),
      Port: hashInteger(21_000),
      Proxy: proxy,
    });
    expect(hash.toString(16)).toBe('b0f3762729efb68c');
  });

  it('does not depend on the order of keys, but on that of items and on types', () => {
    expect(hashJson({ a: 1, b: [true, null] })).toBe(hashJson({ b: [true, null], a: 1 }));
    const different = [[1, 2], [2, 1], { a: '1' }, { a: 1 }, { a: true }, { a: null }, { b: null }, [], '', 'a', 1.5].map(hashJson);
    expect(new Set(different).size).toBe(different.length);
  });
});

function agentService(fields: Readonly<Record<string, bigint>>): bigint {
  return hashStruct('AgentService', {
    ...strings('Kind', 'Address', 'SocketPath', 'ContentHash', 'PeerName'),
    TaggedAddresses: hashMap([]),
    Weights: hashStruct('AgentWeights', { Passing: hashInteger(1), Warning: hashInteger(1) }),
    EnableTagOverride: hashBoolean(false),
    CreateIndex: hashInteger(0),
    ModifyIndex: hashInteger(0),
    Proxy: hashNil(),
    Connect: hashNil(),
    ...fields,
  });
}

function strings(...names: readonly string[]): Record<string, bigint> {
  return Object.fromEntries(names.map((name) => [name, hashString('')]));
}
