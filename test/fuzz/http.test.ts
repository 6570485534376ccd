import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { apiRoutes } from '../../packages/client-agent/src/http/v1/index.ts';
import { sendRaw, statusesOf } from '../../packages/client-agent/src/testing/raw-http.ts';
import { type LiveAgent, startLiveAgent } from '../../packages/cli/src/testing/live-agent.ts';
import { mutatedBytes, mutatedJson, mutatedText } from './support/mutate.ts';

/** A whole agent with its server, asked what clients ask, with mistakes. Beside the code: random bodies and request lines. */

/** What an exception that nobody meant looks like, in an answer or in the log. */
const BUG =
  /TypeError|RangeError|SyntaxError|Cannot (?:read|convert|set|mix|delete)|is not (?:a function|iterable|defined)|\bundefined\b|Maximum call|malformed (?:log entry|command)/;
const STATUSES = [200, 301, 307, 400, 401, 403, 404, 405, 409, 413, 414, 417, 429, 431, 500, 501, 503];
/** They end the agent, never end themselves, or wait for a peer. */
const UNASKED = new Set([
  '/v1/agent/leave',
  '/v1/agent/monitor',
  '/v1/agent/metrics/stream',
  '/v1/agent/reload',
  '/v1/agent/join/',
  '/v1/snapshot',
]);

let agent: LiveAgent;
let port: number;
beforeAll(async () => {
  agent = await startLiveAgent('-hcl', 'limits { http_max_conns_per_client = 1000 }');
  port = Number(agent.address.split(':')[1]);
  for (const { path, body } of BODIES)
    expect([path, (await send('PUT', path, JSON.stringify(body))).text.slice(0, 200)]).not.toEqual([path, expect.stringMatching(BUG)]);
});
afterAll(() => agent.stop());

interface Answer {
  readonly status: number;
  readonly text: string;
}

async function send(method: string, path: string, body?: string): Promise<Answer> {
  const response = await fetch(`http://${agent.address}${path}`, { method, redirect: 'manual', ...(body === undefined ? {} : { body }) });
  return { status: response.status, text: await response.text() };
}

function judge({ status, text }: Answer): void {
  expect(STATUSES).toContain(status);
  expect(text).not.toMatch(BUG);
}

/** What clients write: each is taken as it stands. */
const BODIES: readonly { readonly path: string; readonly body: object }[] = [
  {
    path: '/v1/agent/service/register',
    body: {
      ID: 'web-1',
      Name: 'web',
      Tags: ['v1'],
      Port: 80,
      Meta: { a: 'b' },
      Weights: { Passing: 5, Warning: 1 },
      TaggedAddresses: { lan: { Address: '10.0.0.1', Port: 80 } },
      Check: { TTL: '30s', Status: 'passing' },
      Connect: { SidecarService: { Proxy: { Upstreams: [{ DestinationName: 'db', LocalBindPort: 9191, Config: { a: 1 } }] } } },
    },
  },
  {
    path: '/v1/agent/service/register',
    body: {
      Name: 'web-proxy',
      Kind: 'connect-proxy',
      Port: 21000,
      Proxy: {
        DestinationServiceName: 'web',
        LocalServicePort: 80,
        Expose: { Paths: [{ Path: '/h', ListenerPort: 21500, LocalPathPort: 80, Protocol: 'http' }] },
      },
    },
  },
  { path: '/v1/agent/check/register', body: { ID: 'mem', Name: 'memory', TTL: '1m', Notes: 'n', ServiceID: 'web-1' } },
  { path: '/v1/agent/check/update/mem', body: { Status: 'passing', Output: 'ok' } },
  {
    path: '/v1/catalog/register',
    body: {
      Node: 'far',
      Address: '10.0.0.9',
      NodeMeta: { external: 'true' },
      Service: { ID: 'db-1', Service: 'db', Port: 5432, Tags: ['m'], Connect: { Native: true } },
      Check: { CheckID: 'db', Name: 'db', Status: 'passing', ServiceID: 'db-1', Definition: { TCP: '10.0.0.9:5432', Interval: '5s' } },
    },
  },
  { path: '/v1/catalog/deregister', body: { Node: 'gone', ServiceID: 'x' } },
  { path: '/v1/session/create', body: { Name: 's', LockDelay: '1s', TTL: '10s', Behavior: 'delete', NodeChecks: ['serfHealth'] } },
  {
    path: '/v1/txn',
    body: [
      { KV: { Verb: 'set', Key: 'txn/a', Value: 'YQ==', Flags: 1 } },
      { KV: { Verb: 'get-tree', Key: 'txn/' } },
      { Node: { Verb: 'set', Node: { Node: 'txn', Address: '10.0.0.3' } } },
      { Service: { Verb: 'set', Node: 'txn', Service: { ID: 's', Service: 's', Port: 1 } } },
      { Check: { Verb: 'set', Check: { Node: 'txn', CheckID: 'c', Name: 'c', Status: 'passing' } } },
    ],
  },
  {
    path: '/v1/config',
    body: { Kind: 'service-defaults', Name: 'web', Protocol: 'http', UpstreamConfig: { Defaults: { Limits: { MaxConnections: 5 } } } },
  },
  { path: '/v1/config', body: { Kind: 'proxy-defaults', Name: 'global', Config: { protocol: 'http' }, MeshGateway: { Mode: 'local' } } },
  {
    path: '/v1/config',
    body: { Kind: 'service-resolver', Name: 'web', DefaultSubset: 'v1', Subsets: { v1: { Filter: 'Service.Meta.a == b' } } },
  },
  {
    path: '/v1/config',
    body: {
      Kind: 'service-splitter',
      Name: 'web',
      Splits: [
        { Weight: 90, ServiceSubset: 'v1' },
        { Weight: 10, Service: 'db' },
      ],
    },
  },
  {
    path: '/v1/config',
    body: { Kind: 'service-router', Name: 'web', Routes: [{ Match: { HTTP: { PathPrefix: '/a' } }, Destination: { Service: 'db' } }] },
  },
  {
    path: '/v1/config',
    body: {
      Kind: 'ingress-gateway',
      Name: 'in',
      Listeners: [{ Port: 8080, Protocol: 'http', Services: [{ Name: 'web', Hosts: ['a.b'] }] }],
    },
  },
  {
    path: '/v1/config',
    body: {
      Kind: 'service-intentions',
      Name: 'db',
      Sources: [
        { Name: 'web', Action: 'allow' },
        { Name: 'api', Permissions: [{ Action: 'deny', HTTP: { PathRegex: '/x.*', Methods: ['GET'] } }] },
      ],
    },
  },
  { path: '/v1/connect/intentions/exact?source=a&destination=b', body: { Action: 'allow', Description: 'd', Meta: { a: 'b' } } },
  { path: '/v1/connect/ca/configuration', body: { Provider: 'consul', Config: { LeafCertTTL: '72h', IntermediateCertTTL: '8760h' } } },
  {
    path: '/v1/coordinate/update',
    body: { Node: 'far', Coord: { Vec: [0, 0, 0, 0, 0, 0, 0, 0], Error: 1.5, Adjustment: 0, Height: 0.00001 } },
  },
  { path: '/v1/agent/token/default', body: { Token: 't' } },
  { path: '/v1/event/fire/deploy', body: { any: 'thing' } },
];
const POSTED = [
  {
    path: '/v1/agent/connect/authorize',
    body: { Target: 'db', ClientCertURI: 'spiffe://x.consul/ns/default/dc/dc1/svc/web', ClientCertSerial: '04' },
  },
  { path: '/v1/connect/intentions', body: { SourceName: 'c', DestinationName: 'd', Action: 'deny' } },
];

describe('a body with members moved, renamed and replaced', () => {
  it('gets an answer in words', async () => {
    const write = fc.oneof(
      ...BODIES.map(({ path, body }) => mutatedJson([body]).map((mutant) => ({ method: 'PUT', path, mutant }))),
      ...POSTED.map(({ path, body }) => mutatedJson([body]).map((mutant) => ({ method: 'POST', path, mutant }))),
    );
    await fc.assert(
      fc.asyncProperty(write, async ({ method, path, mutant }) => judge(await send(method, path, JSON.stringify(mutant)))),
      { numRuns: 400 },
    );
    await stillServes();
  });

  it('gets an answer in words when bytes of its JSON are changed', async () => {
    const write = fc.oneof(
      ...BODIES.map(({ path, body }) =>
        mutatedBytes([Buffer.from(JSON.stringify(body))]).map((bytes) => ({ path, text: bytes.toString('latin1') })),
      ),
    );
    await fc.assert(
      fc.asyncProperty(write, async ({ path, text }) => judge(await send('PUT', path, text))),
      { numRuns: 200 },
    );
    await stillServes();
  });
});

describe('a query with mistakes', () => {
  const VALUES: Readonly<Record<string, readonly string[]>> = {
    index: ['0', '1', '-1', '18446744073709551616', 'x', '1.5'],
    wait: ['1ms', '0s', '-1s', 'x', '1', '1h1h'],
    filter: ['Service.Port == 80', 'Node == "far"', '((', 'a', 'Meta.a matches "("', '""', 'Checks is empty'],
    cached: [''],
    stale: [''],
    consistent: [''],
    max_stale: ['1s', 'x'],
    near: ['_agent', '_ip', 'far', 'nope', ''],
    dc: ['dc1', '', 'dc9', '\u0000'],
    ns: ['default', 'x'],
    tag: ['v1', ''],
    'node-meta': ['external:true', 'x', ':', ''],
    passing: ['', '1', 'x'],
    pretty: [''],
    recurse: [''],
    keys: [''],
    raw: [''],
    separator: ['/', ''],
    cas: ['0', 'x', '-1'],
    acquire: ['00000000-0000-0000-0000-000000000000', 'x'],
    hash: ['x'],
    by: ['source', 'destination', 'x', ''],
    name: ['web', '*', ''],
    source: ['web', '*', 'a/b', ''],
    destination: ['db', ''],
    'source-type': ['consul', 'x'],
    format: ['prometheus', 'text', 'x'],
    token: ['x'],
    'merge-central-config': [''],
    list: [''],
  };
  const parameter = fc
    .constantFrom(...Object.keys(VALUES))
    .chain((name) => fc.constantFrom(...(VALUES[name] ?? [])).map((value) => `${name}=${encodeURIComponent(value)}`));
  const readPaths = [...new Set(apiRoutes.filter(({ method }) => method === 'GET').map(({ path }) => path))].filter(
    (path) => !UNASKED.has(path),
  );
  const rest = fc.constantFrom(
    '',
    'web',
    'db',
    'far',
    'mem',
    'a/b',
    'a%2Fb',
    '%00',
    '%zz',
    '..',
    'service-defaults/web',
    'service-defaults',
    'any',
    '__proto__',
    'é',
  );
  /** A blocked read is cut short, and one without `wait` would not be. */
  const short = (query: readonly string[]): string =>
    [...query, ...(query.some((each) => each.startsWith('wait=')) ? [] : ['wait=1ms'])].join('&');

  it('gets an answer in words from every read', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...readPaths), rest, fc.array(parameter, { maxLength: 4 }), async (path, name, query) => {
        const waits = query.some((each) => /^index=|^hash=/.test(each));
        const kept = waits ? query.filter((each) => !/^wait=(?!1ms)/.test(each)) : query;
        judge(await send('GET', `${path}${path.endsWith('/') ? name : ''}?${short(kept)}`));
      }),
      { numRuns: 400 },
    );
    await stillServes();
  });
});

describe('a request with bytes changed', () => {
  const head = (line: string, ...lines: readonly string[]): string => [line, 'Host: a', ...lines, '', ''].join('\r\n');
  const CORPUS = [
    head('GET /v1/kv/a?recurse&separator=%2F HTTP/1.1', 'Accept: */*', 'X-Consul-Token: t', 'Connection: close'),
    `${head('PUT /v1/kv/fuzz HTTP/1.1', 'Content-Length: 5', 'Connection: close')}hello`,
    `${head('PUT /v1/kv/fuzz HTTP/1.1', 'Transfer-Encoding: chunked', 'Connection: close')}5\r\nhello\r\n0\r\n\r\n`,
    `${head('PUT /v1/txn HTTP/1.1', 'Content-Length: 2', 'Expect: 100-continue', 'Connection: close')}[]`,
    head('OPTIONS /v1/agent/self HTTP/1.1', 'Origin: http://x', 'Connection: close'),
  ];
  const TOKENS = [
    '\r\n',
    '\n',
    '\r',
    ' ',
    ':',
    '%',
    '%2f',
    '..',
    '//',
    ';',
    '?',
    '#',
    '\u0000',
    '\u00ff',
    'HTTP/1.0',
    'HTTP/2.0',
    'Content-Length: 0',
    'Transfer-Encoding: chunked',
    'Authorization: Bearer x',
    'Upgrade: h2c',
  ];

  it('gets an HTTP answer with words, or a closed connection', async () => {
    const bytes = fc.oneof(
      mutatedText(CORPUS, TOKENS).map((text) => Buffer.from(text, 'latin1')),
      mutatedBytes(CORPUS.map((text) => Buffer.from(text, 'latin1'))),
    );
    await fc.assert(
      fc.asyncProperty(bytes, async (request) => {
        // What is cut short would be waited for: the other side closes when its time is up, and so do we here.
        const received = await sendRaw(port, Buffer.concat([request, ENDING]), /\r\n\r\n/);
        for (const status of statusesOf(received)) expect([100, 204, 505, ...STATUSES]).toContain(status);
        expect(received).not.toMatch(BUG);
      }),
      { numRuns: 300 },
    );
    await stillServes();
  });

  /** Ends whatever the server still waits for: a body, a line, headers. */
  const ENDING = Buffer.from(`${'\0'.repeat(70_000)}\r\n\r\n0\r\n\r\n\u0001 \r\n\r\n`);
});

async function stillServes(): Promise<void> {
  for (const path of [
    '/v1/catalog/nodes',
    '/v1/catalog/services',
    '/v1/agent/services',
    '/v1/agent/checks',
    '/v1/health/state/any',
    '/v1/connect/intentions',
    '/v1/connect/ca/roots',
    '/v1/session/list',
    '/v1/kv/?recurse',
    '/v1/coordinate/nodes',
  ])
    expect([path, (await send('GET', path)).status]).toEqual([path, expect.toSatisfy((status) => status === 200 || status === 404)]);
  const lines = agent.log().split('\n');
  expect(lines.filter((line) => BUG.test(line)).slice(0, 5)).toEqual([]);
}
