import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { parseConfigEntry } from '../parse.ts';

type Fields = Record<string, unknown>;

function refusal(kind: string, fields: Fields): string {
  try {
    parseConfigEntry({ Kind: kind, Name: 'web', ...fields });
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return 'accepted';
}

const longValue = 'x'.repeat(513);

describe.each<[string, readonly (readonly [Fields, string])[]]>([
  [
    'service-defaults',
    [
      [{ Name: '*' }, 'service-defaults name must be the name of a service, and not a wildcard'],
      [{ Meta: { k: longValue } }, 'Meta value for key "k" exceeds maximum length 512'],
      [{ MutualTLSMode: 'x' }, 'Invalid MutualTLSMode "x". Must be one of "", "strict", or "permissive".'],
      [{ BalanceInboundConnections: 'x' }, 'invalid value for balance_inbound_connections: x'],
      [{ UpstreamConfig: {}, Destination: {} }, 'UpstreamConfig and Destination are mutually exclusive for service defaults'],
      [{ UpstreamConfig: { Overrides: [{}] } }, 'error in upstream override for : Name is required'],
      [{ UpstreamConfig: { Overrides: [{ Name: '*' }] } }, 'Wildcard name is not supported'],
      [{ UpstreamConfig: { Defaults: { Name: 'x' } } }, 'error in upstream defaults: Name must be empty'],
      [{ UpstreamConfig: { Defaults: { Limits: { MaxConnections: -1 } } } }, 'max connections cannot be negative'],
      [
        { UpstreamConfig: { Defaults: { PassiveHealthCheck: { MaxEjectionPercent: 101 } } } },
        'max_ejection_percent must be a percentage between 0 and 100',
      ],
      [{ Destination: { Port: 1 } }, 'Destination must contain at least one valid address'],
      [{ Destination: { Addresses: ['a', 'a'], Port: 1 } }, "Duplicate address 'a' is not allowed"],
      [{ Destination: { Addresses: ['*.a'], Port: 1 } }, 'Could not validate address *.a as an IP or Hostname'],
      [{ Destination: { Addresses: ['a'], Port: 70_000 } }, 'Invalid Port number 70000'],
      [{ RateLimits: {} }, 'Rate limiting is a consul enterprise feature'],
      [{ EnvoyExtensions: [{}] }, 'invalid EnvoyExtensions[0]: Name is required'],
      [{ Destination: { Addresses: ['10.0.0.1', 'db.example.com'], Port: 443 } }, 'accepted'],
    ],
  ],
  [
    'proxy-defaults',
    [
      [{ Name: '', AccessLogs: { Type: 'x' } }, 'invalid access log type: x'],
      [{ Name: '', AccessLogs: { Type: 'file' } }, 'path must be specified when using file type access logs'],
      [{ Name: '', AccessLogs: { Path: '/x' } }, 'path is only valid for file type access logs'],
      [{ Name: '', AccessLogs: { JSONFormat: '{', TextFormat: 'x' } }, 'cannot specify both access log JSONFormat and TextFormat'],
      [{ Name: '', AccessLogs: { JSONFormat: '{' } }, 'invalid access log json for JSON format'],
      [{ Name: '', FailoverPolicy: { Mode: 'x' } }, 'requires Consul Enterprise'],
      [{ Name: '' }, 'accepted'],
    ],
  ],
  [
    'service-splitter',
    [
      [{ Splits: [] }, 'no splits configured'],
      [{ Splits: [{ Weight: 90, Service: 'a' }] }, 'the sum of all split weights must be 100, not 90.000000'],
      [
        {
          Splits: [
            { Weight: 33.33, Service: 'a' },
            { Weight: 66.67, Service: 'b' },
          ],
        },
        'accepted',
      ],
    ],
  ],
  [
    'service-resolver',
    [
      [{ DefaultSubset: 'x' }, 'DefaultSubset "x" is not a valid subset'],
      [{ Subsets: { 'A!': {} } }, 'Subset "A!" is invalid'],
      [{ Redirect: {} }, 'Redirect is empty'],
      [{ Redirect: { ServiceSubset: 'v1' } }, 'Redirect.ServiceSubset defined without Redirect.Service'],
      [{ Redirect: { Service: 'a', Namespace: 'x' } }, 'Redirect: Setting Namespace requires Consul Enterprise'],
      [{ Redirect: { Service: 'a' }, Failover: { '*': { Service: 'b' } } }, 'Redirect and Failover cannot both be set'],
      [{ Failover: { v1: { Service: 'b' } } }, 'Bad Failover["v1"]: not a valid subset subset'],
      [{ Failover: { '*': {} } }, 'one of Service, ServiceSubset, Namespace, Targets, SamenessGroup, or Datacenters is required'],
      [{ Failover: { '*': { Datacenters: [''] } } }, 'found empty datacenter'],
      [{ Failover: { '*': { Service: 'x', Targets: [{ Service: 'b' }] } } }, 'Targets cannot be set with Service'],
      [{ LoadBalancer: { Policy: 'x' } }, 'Bad LoadBalancer policy: "x" is not supported'],
      [
        { LoadBalancer: { Policy: 'random', HashPolicies: [{ SourceIP: true }] } },
        'HashPolicies specified for non-hash-based Policy: "random"',
      ],
      [{ LoadBalancer: { Policy: 'maglev', HashPolicies: [{ Field: 'header' }] } }, 'Field "header" was specified without a FieldValue'],
      [{ ConnectTimeout: '-1s' }, "Bad ConnectTimeout '-1s', must be >= 0"],
      [{ ConnectTimeout: '5x' }, 'time: invalid duration "5x"'],
    ],
  ],
  [
    'service-router',
    [
      [{ Routes: [{ Match: { HTTP: { PathExact: '/a', PathPrefix: '/b' } } }] }, 'at most one of PathExact, PathPrefix, or PathRegex'],
      [{ Routes: [{ Match: { HTTP: { Header: [{ Exact: 'x' }] } } }] }, 'Route[0] Header[0] missing required Name field'],
      [{ Routes: [{ Match: { HTTP: { QueryParam: [{ Name: 'x' }] } } }] }, 'should only contain one of Present, Exact, or Regex'],
      [{ Routes: [{ Match: { HTTP: { Methods: ['get', 'GET'] } } }] }, 'Methods contains "GET" more than once'],
      [{ Routes: [{ Destination: { PrefixRewrite: '/' } }] }, 'cannot make use of PrefixRewrite'],
      [{ Routes: [{ Destination: { RetryOn: ['x'] } }] }, 'contains an invalid retry condition: "x"'],
    ],
  ],
  [
    'mesh',
    [
      [
        { Name: undefined, TLS: { Incoming: { TLSMinVersion: 'TLSv1_3', TLSMaxVersion: 'TLSv1_2' } } },
        'configuring max version TLSv1_2 less than the configured min version TLSv1_3 is invalid',
      ],
      [
        { Name: undefined, TLS: { Outgoing: { TLSMinVersion: 'x' } } },
        'error in outgoing TLS configuration: no matching TLS version found for x',
      ],
      [
        { Name: undefined, TLS: { Incoming: { TLSMinVersion: 'TLSv1_3', CipherSuites: ['x'] } } },
        'only applicable to connections negotiated with TLS 1.2 or earlier',
      ],
      [
        { Name: undefined, HTTP: { Incoming: { RequestNormalization: { PathWithEscapedSlashesAction: 'x' } } } },
        'no matching PathWithEscapedSlashesAction value found for x',
      ],
    ],
  ],
  [
    'ingress-gateway',
    [
      [{ Listeners: [{ Port: 1, Services: [] }] }, 'No service declared for listener with port 1'],
      [
        { Listeners: [{ Port: 1, Services: [{ Name: 'a' }, { Name: 'b' }] }] },
        'Multiple services per listener are only supported for L7 protocols',
      ],
      [{ Listeners: [{ Port: 1, Services: [{ Name: '*' }] }] }, "Wildcard service name is only valid for protocol = 'http'"],
      [{ Listeners: [{ Port: 1, Protocol: 'http', Services: [{ Name: 'a', Hosts: ['x', 'x'] }] }] }, 'Hosts must be unique'],
      [
        { TLS: { Enabled: true }, Listeners: [{ Port: 1, Protocol: 'http', Services: [{ Name: 'a', Hosts: ['*'] }] }] },
        "Host '*' is not allowed when TLS is enabled",
      ],
    ],
  ],
  [
    'terminating-gateway',
    [
      [{ Services: [{}] }, 'Service name cannot be blank.'],
      [{ Services: [{ Name: 'a' }, { Name: 'a' }] }, 'Service "a" was specified more than once within a namespace'],
      [{ Services: [{ Name: 'a', CertFile: 'x' }] }, 'must have a CertFile, CAFile, and KeyFile specified'],
    ],
  ],
  [
    'exported-services',
    [
      [{}, 'exported-services Name must be "default"'],
      [{ Name: 'default', Services: [{ Name: 'a' }] }, 'Services[0]: must have at least one consumer'],
      [{ Name: 'default', Services: [{ Name: 'a', Consumers: [{ Peer: '*' }] }] }, 'exporting to all peers (wildcard) is not supported'],
      [{ Name: 'default', Services: [{ Name: 'a', Consumers: [{ Partition: 'p' }] }] }, 'partitions are an enterprise-only feature'],
      [{ Name: 'default', Services: [{ Name: 'a', Consumers: [{ Peer: 'p' }] }] }, 'accepted'],
    ],
  ],
  [
    'api-gateway',
    [
      [{}, 'api gateway must have at least one listener'],
      [{ Listeners: [{ Name: 'l', Port: 1, Protocol: 'tcp', Hostname: 'h' }] }, 'hostname specification is not supported when using TCP'],
      [{ Listeners: [{ Name: 'l', Port: 0, Protocol: 'tcp' }] }, 'listener port 0 not in the range 1-65535'],
      [
        {
          Listeners: [
            { Name: 'a', Port: 1, Protocol: 'tcp' },
            { Name: 'b', Port: 1, Protocol: 'http' },
          ],
        },
        'listeners "a" and "b" cannot be merged',
      ],
      [
        { Listeners: [{ Name: 'l', Port: 1, Protocol: 'udp' }] },
        `unsupported listener protocol "udp", must be one of 'tcp', 'http', 'http2', or 'grpc'`,
      ],
      [
        { Defaults: { MaxConnections: -1 }, Listeners: [{ Name: 'l', Port: 1, Protocol: 'grpc' }] },
        'Defaults: max connections cannot be negative',
      ],
      [
        { Listeners: [{ Name: 'l', Port: 1, Protocol: 'http2', TLS: { SDS: { CertResource: 'c' } } }] },
        'TLS.SDS.ClusterName is required if CertResource is set (listener "l")',
      ],
    ],
  ],
  [
    'http-route',
    [
      [{ Parents: [{ Kind: 'x' }] }, `unsupported parent kind: "x", must be 'api-gateway'`],
      [{ Hostnames: ['*.a'] }, 'host "*.a" must not be a wildcard'],
      [
        { Rules: [{ Matches: [{ Path: { Match: 'exact', Value: 'a' } }] }] },
        `Rule[0], Match[0], Path, exact type match doesn't start with '/': "a"`,
      ],
      [
        { Rules: [{ Services: [{ Name: 'a', Limits: { MaxPendingRequests: -1 } }] }] },
        'Rule[0], Services[0], Limits: max pending requests cannot be negative',
      ],
    ],
  ],
  ['tcp-route', [[{ Services: [{ Name: 'a' }, { Name: 'b' }] }, 'tcp-route currently only supports one service']]],
  [
    'jwt-provider',
    [
      [{}, 'JSONWebKeySet is required'],
      [{ JSONWebKeySet: {} }, 'must specify exactly one of Local or Remote JSON Web key set'],
      [{ JSONWebKeySet: { Local: { JWKS: '!' } } }, 'JWKS must be valid base64 encoded string'],
      [{ JSONWebKeySet: { Remote: {} } }, 'Remote JWKS URI is required'],
      [
        { JSONWebKeySet: { Local: { JWKS: 'eyJh' } }, Locations: [{}] },
        'must set exactly one of: JWT location header, query param or cookie',
      ],
    ],
  ],
  [
    'service-intentions',
    [
      [{ Name: 'a*', Sources: [{ Name: 'b', Action: 'allow' }] }, "Name: wildcard character '*' cannot be used with partial values"],
      [{ Sources: [{ Action: 'allow' }] }, 'Sources[0].Name is required'],
      [{ Sources: [{ Name: 'a', Peer: '*', Action: 'allow' }] }, "Sources[0].Peer: cannot use wildcard '*' in peer"],
      [{ Sources: [{ Name: 'a', Action: 'allow', Type: 'x' }] }, "Sources[0].Type must be set to 'consul'"],
      [{ Sources: [{ Name: 'a', Action: 'allow', LegacyMeta: { k: 'v' } }] }, 'Sources[0].LegacyMeta must be omitted'],
      [
        { Name: '*', Sources: [{ Name: 'a', Permissions: [{ Action: 'allow', HTTP: { PathExact: '/' } }] }] },
        'cannot be specified on intentions with wildcarded destinations',
      ],
      [{ Sources: [{ Name: 'a', Permissions: [{ Action: 'x' }] }] }, "Sources[0].Permissions[0].Action must be set to 'allow' or 'deny'"],
      [{ Sources: [{ Name: 'a', Permissions: [{ Action: 'deny' }] }] }, 'Sources[0].Permissions[0].HTTP is required'],
      [{ Sources: [{ Name: 'a', Permissions: [{ Action: 'deny', HTTP: {} }] }] }, 'Sources[0].Permissions[0].HTTP should not be empty'],
      [
        { Sources: [{ Name: 'a', Permissions: [{ Action: 'deny', HTTP: { PathRegex: '(' } }] }] },
        'PathRegex is not a valid regular expression',
      ],
      [
        { Sources: [{ Name: 'a', Permissions: [{ Action: 'deny', HTTP: { Header: [{ Name: 'x', Present: true, IgnoreCase: true }] } }] }] },
        'when using IgnoreCase',
      ],
      [
        {
          Sources: [
            { Name: 'a', Peer: 'p', Action: 'allow' },
            { Name: 'a', Peer: 'p', Action: 'deny' },
          ],
        },
        'Sources[1] defines peer("p") "a" more than once',
      ],
      [
        {
          Sources: [
            { Name: 'a', Peer: 'p', Action: 'allow' },
            { Name: 'a', Action: 'deny' },
          ],
        },
        'accepted',
      ],
      [{ JWT: { Providers: [{}] }, Sources: [{ Name: 'a', Action: 'allow' }] }, 'JWT provider name is required'],
    ],
  ],
])('%s', (kind, cases) => {
  it.each(cases)('%j: %s', (fields, message) => {
    const input = Object.fromEntries(Object.entries({ Name: 'web', ...fields }).filter(([, value]) => value !== undefined));
    if (kind === 'mesh') delete input.Name;
    expect(kind === 'mesh' ? refusalOf({ Kind: kind, ...input }) : refusal(kind, input)).toContain(message);
  });
});

function refusalOf(input: Fields): string {
  try {
    parseConfigEntry(input);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return 'accepted';
}

describe('inline-certificate', () => {
  it('never quotes the private key in an error', () => {
    const { privateKey } = generateKeyPairSync('rsa', {
      modulusLength: 1024,
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
    });
    expect(refusal('inline-certificate', { Certificate: 'x', PrivateKey: privateKey })).toBe('key length must be at least 2048 bits');
    const broken = privateKey.replace('MII', 'MIX');
    expect(refusal('inline-certificate', { Certificate: 'x', PrivateKey: broken })).toBe('failed to parse private key');
    expect(refusal('inline-certificate', { Certificate: 'x', PrivateKey: 'x' })).toBe('failed to parse private key PEM');
  });
});
