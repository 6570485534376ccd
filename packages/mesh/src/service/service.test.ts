import { checkDefinition, connectProxyConfig, decode, LictorError, type ServiceDefinition, serviceDefinition } from '@lictor/protocol';
import { describe, expect, it } from 'vitest';
import { checkType } from './check.ts';
import { validateNodeMeta } from './metadata.ts';
import { assignCheckIds, normaliseService } from './normalise.ts';
import { allocateSidecarPort, expandSidecar } from './sidecar.ts';
import { validateCheckDefinition, validateService } from './validate-definition.ts';

function define(body: Record<string, unknown>): ServiceDefinition {
  return decode(serviceDefinition, body, { weak: true });
}

function refusal(action: () => unknown): string {
  try {
    action();
  } catch (thrown) {
    const error = LictorError.from(thrown);
    return `${error.httpStatus} ${error.message}`;
  }
  return 'accepted';
}

/** As PUT /v1/agent/service/register runs them. */
function register(body: Record<string, unknown>): string {
  return refusal(() => {
    const definition = define(body);
    validateService(definition);
    expandSidecar(definition, 21_000);
  });
}

const problems = (prefix: string, ...lines: readonly string[]): string =>
  `400 ${prefix}: ${lines.length === 1 ? '1 error' : `${lines.length} errors`} occurred:\n${lines.map((line) => `\t* ${line}`).join('\n')}\n\n`;

describe('PUT /v1/agent/service/register (observed 1.21, group "agent-services")', () => {
  it.each<[Record<string, unknown>, string]>([
    [{ Port: 1 }, '400 Missing service name'],
    [
      { Name: 'x', Check: { HTTP: 'http://x' } },
      '400 Invalid check: Interval must be > 0 for Script, HTTP, H2PING, TCP, UDP or OSService checks',
    ],
    [{ Name: 'x', Kind: 'nope' }, 'accepted'],
    [
      { Name: 'x', Kind: 'connect-proxy', Port: 1 },
      problems('Validation failed', 'Proxy.DestinationServiceName must be non-empty for Connect proxy services'),
    ],
    [{ Name: 'x', Address: '0.0.0.0' }, '400 Invalid service address'],
    [{ Name: 'x', Weights: { Passing: -1 } }, '400 Invalid Weights: Passing must be greater than 0'],
    [
      { Name: 'x', Connect: { Native: true, SidecarService: {} } },
      problems('Validation failed', 'Port or SocketPath must be set for a Connect native service.'),
    ],
    [
      { Name: 'x', Connect: { SidecarService: { Connect: { SidecarService: {} } } } },
      problems('Validation failed', 'A SidecarService cannot have a nested SidecarService'),
    ],
    [
      { Name: 'x', Connect: { SidecarService: { ID: 'q' } } },
      problems('Validation failed', 'A SidecarService cannot specify an ID as this is managed by the agent'),
    ],
    [
      { Name: 'x', Connect: { SidecarService: { Kind: 'mesh-gateway' } } },
      problems(
        'Failed Validation',
        'Port must be non-zero for a mesh-gateway',
        'The Proxy.DestinationServiceName configuration is invalid for a mesh-gateway',
        'The Proxy.DestinationServiceID configuration is invalid for a mesh-gateway',
        'The Proxy.LocalServiceAddress configuration is invalid for a mesh-gateway',
      ),
    ],
    [
      { Name: 'x', Meta: { 'bad key': '1' } },
      "400 Invalid Service Meta: Couldn't load metadata pair ('bad key', '1'): Key contains invalid characters",
    ],
    [{ Name: 'x', Port: 1, SocketPath: '/a' }, 'accepted'],
    [{ Name: 'bad_name!', Port: 1 }, 'accepted'],
    [
      { Name: 'x', Port: 1, Proxy: { Upstreams: [{}] }, Kind: 'connect-proxy' },
      problems(
        'Validation failed',
        'Proxy.DestinationServiceName must be non-empty for Connect proxy services',
        'upstream destination name cannot be empty',
      ),
    ],
  ])('%j', (body, expected) => {
    expect(register(body)).toBe(expected);
  });
});

describe('PUT /v1/agent/check/register (observed 1.21, group "agent-checks")', () => {
  it.each<[Record<string, unknown>, string]>([
    [{ TTL: '1s' }, '400 Missing check name'],
    [{ Name: 'x' }, '400 Invalid check: TTL must be > 0 for TTL checks'],
    [{ Name: 'x', TTL: '1s', Interval: '1s' }, '400 Invalid check: Interval and TTL cannot both be specified'],
    [{ Name: 'x', Status: 'bogus', TTL: '1s' }, '400 Bad check status'],
    [{ Name: 'x', UDP: '127.0.0.1:1', Interval: '1s' }, 'accepted'],
    [{ Name: 'x', AliasService: 'a', TTL: '1s' }, '400 Invalid check: TTL must be not be set for Alias checks'],
    [{ Name: 'x', AliasService: 'a', HTTP: 'http://x', Interval: '1s' }, '400 Invalid check: Interval cannot be set for Alias checks'],
    [
      { Name: 'x', TTL: '1s', FailuresBeforeWarning: 2 },
      "400 Invalid check: FailuresBeforeWarning can't be higher than FailuresBeforeCritical",
    ],
    [{ Name: 'x', TTL: '1s', OutputMaxSize: -1 }, '400 Invalid check: MaxOutputMaxSize must be positive'],
    [{ Name: 'x', SessionName: 's' }, 'accepted'],
  ])('%j', (body, expected) => {
    expect(refusal(() => validateCheckDefinition(decode(checkDefinition, body)))).toBe(expected);
  });

  it.each([
    [{ TTL: '1s' }, 'ttl'],
    [{ HTTP: 'x', Interval: '1s' }, 'http'],
    [{ TCP: 'x', Interval: '1s' }, 'tcp'],
    [{ GRPC: 'x', Interval: '1s' }, 'grpc'],
    [{ H2PING: 'x', Interval: '1s' }, 'h2ping'],
    [{ OSService: 'x', Interval: '1s' }, 'os_service'],
    [{ Args: ['x'], Interval: '1s' }, 'script'],
    [{ Args: ['x'], DockerContainerID: 'c', Interval: '1s' }, 'docker'],
    [{ AliasNode: 'n' }, 'alias'],
    [{ SessionName: 's' }, 'session'],
    [{}, ''],
  ])('%j has the type %s', (body, type) => {
    expect(checkType(decode(checkDefinition, body))).toBe(type);
  });
});

describe('service definitions', () => {
  it('take the name for the id, weights of 1, and no tagged addresses as null', () => {
    const { service } = normaliseService(define({ name: 'web', port: 80, tags: ['a'], meta: { k: 'v' } }));
    expect(service).toMatchObject({
      ID: 'web',
      Service: 'web',
      Weights: { Passing: 1, Warning: 1 },
      TaggedAddresses: null,
      Tags: ['a'],
      Meta: { k: 'v' },
      Connect: { Native: false },
    });
  });

  it('name checks after the service (consul-facts K019)', () => {
    const one = normaliseService(define({ name: 'web', check: { ttl: '1s' } }));
    expect(assignCheckIds(one.service, one.checks).map((check) => [check.CheckID, check.Name])).toEqual([
      ['service:web', "Service 'web' check"],
    ]);
    const two = normaliseService(
      define({
        name: 'web',
        checks: [
          { ttl: '1s', id: 'own' },
          { ttl: '2s', name: 'n' },
        ],
      }),
    );
    expect(assignCheckIds(two.service, two.checks).map((check) => check.CheckID)).toEqual(['own', 'service:web:2']);
  });

  it('ignore an empty check', () => {
    expect(normaliseService(define({ name: 'web', check: {} })).checks).toEqual([]);
  });

  it.each<[Record<string, unknown>, string]>([
    [
      { Name: 'x', Namespace: 'a' },
      '400 Request decode failed: json: unknown field "Namespace" - Namespaces are a Consul Enterprise feature',
    ],
    [
      { Name: 'x', Partition: 'a' },
      '400 Request decode failed: json: unknown field "Partition" - Partitions are a Consul Enterprise feature',
    ],
    [{ Name: 'x', Namespace: 'default' }, 'accepted'],
    [
      { Name: 'x', TaggedAddresses: { lan_ipv4: { Address: '::1' } } },
      '400 Service tagged address "lan_ipv4" must be a valid ipv4 address',
    ],
    [
      { Name: 'x', TaggedAddresses: { wan_ipv6: { Address: '10.0.0.1' } } },
      '400 Service tagged address "wan_ipv6" must be a valid ipv6 address',
    ],
    [
      { Name: 'x', Meta: { 'consul-x': '1' } },
      "400 Invalid Service Meta: Couldn't load metadata pair ('consul-x', '1'): Key prefix 'consul-' is reserved for internal use",
    ],
    [{ Name: 'x', Kind: 'mesh-gateway', Port: 1, Meta: { 'consul-wan-federation': '1' } }, 'accepted'],
    [{ Name: 'x', Check: { TTL: '1s', Status: 'bad' } }, "400 Status for checks must 'passing', 'warning', 'critical'"],
    [
      { Name: 'x', Connect: { SidecarService: { Check: { HTTP: 'x' } } } },
      '400 Invalid check in sidecar_service: Interval must be > 0 for Script, HTTP, H2PING, TCP, UDP or OSService checks',
    ],
  ])('%j: %s', (body, expected) => {
    expect(register(body)).toBe(expected);
  });

  it('limit node metadata, reserved keys apart', () => {
    expect(validateNodeMeta({ 'consul-network-segment': '' })).toContain('reserved');
    expect(validateNodeMeta({ 'consul-network-segment': '' }, true)).toBeUndefined();
    expect(validateNodeMeta(Object.fromEntries(Array.from({ length: 65 }, (_, index) => [`k${index}`, ''])))).toContain('more than 64');
  });
});

describe('multi-port services (consul-facts V001)', () => {
  const ports = (...list: readonly Record<string, unknown>[]): string => register({ Name: 'x', Ports: list });
  it.each<[readonly Record<string, unknown>[], string]>([
    [
      [
        { Name: 'http', Port: 80, Default: true },
        { Name: 'admin', Port: 80 },
      ],
      'accepted',
    ],
    [[{ Name: '', Port: 80, Default: true }], 'Ports.Name cannot be empty'],
    [
      [
        { Name: 'a', Port: 80, Default: true },
        { Name: 'a', Port: 81 },
      ],
      'must be unique',
    ],
    [[{ Name: 'a', Port: 0, Default: true }], 'Ports.Port must be between 1 and 65535'],
    [[{ Name: 'a', Port: 1 }], 'exactly one default port'],
    [
      [
        { Name: 'a', Port: 1, Default: true },
        { Name: 'b', Port: 2, Default: true },
      ],
      'exactly one default port',
    ],
  ])('%j: %s', (list, expected) => {
    expect(ports(...list)).toContain(expected);
  });

  it('show the default port to readers of Port, and their sidecar the named ones', () => {
    const definition = define({
      Name: 'x',
      Ports: [
        { Name: 'a', Port: 1 },
        { Name: 'b', Port: 2, Default: true },
      ],
      Connect: { SidecarService: {} },
    });
    expect(normaliseService(definition).service.Port).toBe(2);
    expect(expandSidecar(definition, 21_000)?.service.Proxy.LocalServicePorts).toHaveLength(2);
  });
});

describe('upstreams (consul-facts K027)', () => {
  const proxy = (...upstreams: readonly Record<string, unknown>[]): string =>
    register({ Name: 'p', Kind: 'connect-proxy', Port: 1, Proxy: { DestinationServiceName: 'web', Upstreams: upstreams } });
  const base = { DestinationName: 'db', LocalBindPort: 1 };
  it.each<[readonly Record<string, unknown>[], string]>([
    [[base], 'accepted'],
    [[{ ...base, DestinationType: 'x' }], 'unknown upstream destination type: "x"'],
    [[{ ...base, DestinationName: '*' }], 'upstream destination name cannot be a wildcard'],
    [[{ ...base, DestinationPeer: 'p', Datacenter: 'd' }], 'upstream cannot specify both destination peer and datacenter'],
    [[{ DestinationName: 'db' }], 'upstream local bind port or local socket path must be defined and nonzero'],
    [[{ ...base, LocalBindSocketPath: '/x' }], 'only one of upstream local bind port or local socket path can be defined and nonzero'],
    [
      [base, { ...base, LocalBindPort: 2 }],
      'upstreams cannot contain duplicates of [type="service", name="db", partition="", namespace="", peer="", datacenter=""]',
    ],
    [
      [base, { ...base, Datacenter: 'dc2' }],
      'upstreams cannot contain duplicates by local bind address and port or unix path; "127.0.0.1:1" is specified twice',
    ],
    [[base, { DestinationName: 'api', LocalBindPort: 1, LocalBindAddress: '127.0.0.2' }], 'accepted'],
    [
      [
        { DestinationName: 'a', LocalBindSocketPath: '/s' },
        { DestinationName: 'b', LocalBindSocketPath: '/s' },
      ],
      '"/s" is specified twice',
    ],
    [
      [
        { ...base, DestinationPort: 'http' },
        { ...base, DestinationPort: 'admin', LocalBindPort: 2 },
      ],
      'accepted',
    ],
    [[{ ...base, DestinationPartition: 'p', Datacenter: 'dc2' }], 'upstreams cannot target another datacenter in non default partition'],
  ])('%j: %s', (upstreams, expected) => {
    expect(proxy(...upstreams)).toContain(expected);
  });

  it('refuses exposed paths that cannot work', () => {
    const expose = (...paths: readonly Record<string, unknown>[]): string =>
      register({ Name: 'p', Kind: 'connect-proxy', Port: 1, Proxy: { DestinationServiceName: 'web', Expose: { Paths: paths } } });
    expect(expose({ Path: '/h', ListenerPort: 1, Protocol: 'http' })).toBe('accepted');
    expect(expose({ ListenerPort: 1 }, { Path: '/h', ListenerPort: 1 })).toContain('expose.paths: duplicate listener ports exposed');
    expect(expose({ Path: '/h', ListenerPort: 0 })).toContain('expose.paths: invalid listener port: 0');
    expect(expose({ Path: '/h', ListenerPort: 1, Protocol: 'x' })).toContain("protocol 'x' not supported for path: /h");
  });
});

describe('sidecars (consul-facts K021 and the defaults below it)', () => {
  const web = {
    Name: 'web',
    ID: 'web-1',
    Port: 8080,
    Tags: ['v1'],
    Meta: { version: '1' },
    Connect: { SidecarService: { Proxy: { Upstreams: [{ DestinationName: 'socat', LocalBindPort: 9191 }] } } },
  };

  it('take everything left open from their service', () => {
    const sidecar = expandSidecar(define(web), 21_000);
    expect(sidecar?.service).toMatchObject({
      Kind: 'connect-proxy',
      ID: 'web-1-sidecar-proxy',
      Service: 'web-sidecar-proxy',
      Tags: ['v1'],
      Meta: { version: '1' },
      Port: 21_000,
      Proxy: {
        DestinationServiceName: 'web',
        DestinationServiceID: 'web-1',
        LocalServiceAddress: '127.0.0.1',
        LocalServicePort: 8080,
        Upstreams: [{ DestinationType: 'service', DestinationName: 'socat', LocalBindPort: 9191 }],
      },
      LocallyRegisteredAsSidecar: true,
    });
    expect(
      assignCheckIds(sidecar?.service ?? { ID: '', Service: '' }, sidecar?.checks ?? []).map((check) => [
        check.CheckID,
        check.Name,
        check.TCP,
        check.Interval,
        check.AliasService,
      ]),
    ).toEqual([
      ['service:web-1-sidecar-proxy:1', 'Connect Sidecar Listening', '127.0.0.1:21000', 10_000, ''],
      ['service:web-1-sidecar-proxy:2', 'Connect Sidecar Aliasing web-1', '', 0, 'web-1'],
    ]);
  });

  it('keep what they were given', () => {
    const own = {
      Port: 9000,
      Tags: ['t'],
      Meta: { a: 'b' },
      Address: '::1',
      Proxy: { LocalServiceAddress: '10.0.0.1', LocalServicePort: 1 },
      Check: { TTL: '1s' },
    };
    const sidecar = expandSidecar(define({ ...web, Connect: { SidecarService: own } }), 21_000);
    expect(sidecar?.service).toMatchObject({
      Port: 9000,
      Tags: ['t'],
      Meta: { a: 'b' },
      Proxy: { LocalServiceAddress: '10.0.0.1', LocalServicePort: 1 },
    });
    expect(sidecar?.checks.map((check) => check.TTL)).toEqual([1000]);
  });

  it('check an IPv6 address in brackets, and reach a service on a unix socket', () => {
    const v6 = expandSidecar(define({ ...web, Address: '::1' }), 21_000);
    expect(v6?.checks[0]?.TCP).toBe('[::1]:21000');
    const socket = expandSidecar(define({ Name: 'x', SocketPath: '/s', Connect: { SidecarService: {} } }), 21_000);
    expect(socket?.service.Proxy).toMatchObject({ LocalServiceSocketPath: '/s', LocalServiceAddress: '', LocalServicePort: 0 });
  });

  it('are absent where nobody asked for one', () => {
    expect(expandSidecar(define({ Name: 'x' }), 21_000)).toBeUndefined();
  });

  it('get the lowest free port, keep theirs, and say when none is left', () => {
    const range = { minPort: 21_000, maxPort: 21_001 };
    expect(allocateSidecarPort([], undefined, range)).toBe(21_000);
    expect(allocateSidecarPort([21_000], undefined, range)).toBe(21_001);
    expect(allocateSidecarPort([21_000, 21_001], 21_001, range)).toBe(21_001);
    expect(allocateSidecarPort([], 30_000, range)).toBe(21_000);
    expect(refusal(() => allocateSidecarPort([21_000, 21_001], undefined, range))).toBe(
      '500 no port provided for sidecar_service and none left in the configured range [21000, 21001]',
    );
    expect(refusal(() => allocateSidecarPort([], undefined, { minPort: 0, maxPort: 0 }))).toContain('auto-assignment disabled in config');
  });
});

describe('what the catalog could not take is refused where it comes in', () => {
  const NAME = 'x\u0000y';
  it.each<[what: string, body: Record<string, unknown>]>([
    ['name', { Name: NAME }],
    ['id', { Name: 'a', ID: NAME }],
    ['destination', { Name: 'a', Kind: 'connect-proxy', Port: 1, Proxy: { DestinationServiceName: NAME } }],
  ])('a %s with control characters', (_what, body) => {
    expect(register(body)).toBe('400 Invalid name "x\\u0000y": control characters are not allowed');
  });

  it.each(['CheckID', 'ID', 'Name', 'ServiceID'])('a %s of a check with control characters', (field) => {
    const check = decode(checkDefinition, { Name: 'c', TTL: '1s', [field]: NAME });
    expect(refusal(() => validateCheckDefinition(check))).toBe(
      '400 Invalid check: Invalid name "x\\u0000y": control characters are not allowed',
    );
    expect(register({ Name: 'a', Check: { TTL: '1s', [field]: NAME } })).toBe(
      '400 Invalid check: Invalid name "x\\u0000y": control characters are not allowed',
    );
  });

  it.each([-1, 70_000])('but a port of %i is, and its sidecar’s proxy decodes', (Port) => {
    const sidecar = expandSidecar(define({ Name: 'a', Port, Connect: { SidecarService: {} } }), 21_000)?.service;
    expect(decode(connectProxyConfig, sidecar?.Proxy).LocalServicePort).toBe(Port);
  });
});
