import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CONFIG_ENTRY_KINDS } from '../../packages/protocol/src/index.ts';
import { type LiveAgent, startLiveAgent } from '../../packages/cli/src/testing/live-agent.ts';

/** Hostile JSON against a whole agent: security.md 5.1 (service:write rows), 5.3 (`__proto__`), script checks, files named by the API. */
const PROTOTYPE_NAMES = Object.getOwnPropertyNames(Object.prototype).toSorted();
const NAMES = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf'];
/** What an exception that nobody meant looks like. */
const BUG =
  /TypeError|RangeError|Cannot (?:read|convert|set|mix)|is not (?:a function|iterable|defined)|undefined|Maximum call|malformed log entry/;

let agent: LiveAgent;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lictor-bodies-'));
  agent = await startLiveAgent();
});
afterAll(async () => {
  await agent.stop();
  rmSync(folder, { recursive: true });
});

interface Answer {
  readonly status: number;
  readonly text: string;
}

async function send(method: string, path: string, body?: unknown): Promise<Answer> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const response = await fetch(`http://${agent.address}${path}`, { method, ...(text === undefined ? {} : { body: text }) });
  return { status: response.status, text: await response.text() };
}
const put = (path: string, body: unknown): Promise<Answer> => send('PUT', path, body);

/** Every list and object that what was written could show up in. */
const READS = [
  '/v1/agent/self',
  '/v1/agent/services',
  '/v1/agent/checks',
  '/v1/catalog/nodes',
  '/v1/catalog/services',
  '/v1/health/state/any',
  '/v1/kv/?recurse',
  '/v1/session/list',
  '/v1/event/list',
  '/v1/coordinate/nodes',
  '/v1/connect/intentions',
  '/v1/connect/ca/configuration',
  '/v1/internal/ui/services',
  ...CONFIG_ENTRY_KINDS.map((kind) => `/v1/config/${kind}`),
];

async function readAll(): Promise<string> {
  const texts = await Promise.all(READS.map(async (path) => `${path}\n${(await send('GET', path)).text}`));
  for (const name of NAMES) {
    for (const path of ['catalog/service', 'health/service', 'catalog/node', 'health/checks', 'agent/service', 'config/service-defaults']) {
      texts.push((await send('GET', `/v1/${path}/${name}`)).text);
    }
  }
  return texts.join('\n');
}

describe('the key __proto__ (security.md JSON __proto__)', () => {
  const VALUE = '{"__proto__":{"polluted":"yes"}}';
  it.each<[path: string, body: string]>([
    ['/v1/agent/service/register', `{"Name":"a","Meta":{"__proto__":"x"}}`],
    ['/v1/agent/service/register', `{"Name":"a","TaggedAddresses":{"__proto__":{"Address":"1.1.1.1","Port":1}}}`],
    ['/v1/agent/service/register', `{"Name":"a","Kind":"connect-proxy","Port":1,"Proxy":{"DestinationServiceName":"b","Config":${VALUE}}}`],
    ['/v1/agent/check/register', `{"Name":"a","HTTP":"http://127.0.0.1:1","Interval":"1m","Header":{"__proto__":["x"]}}`],
    ['/v1/catalog/register', `{"Node":"n","Address":"1.1.1.1","NodeMeta":{"__proto__":"x"}}`],
    ['/v1/catalog/register', `{"Node":"n","Address":"1.1.1.1","TaggedAddresses":{"__proto__":"1.1.1.1"}}`],
    ['/v1/config', `{"Kind":"proxy-defaults","Name":"global","Config":${VALUE}}`],
    ['/v1/config', `{"Kind":"service-defaults","Name":"a","Meta":{"__proto__":"x"}}`],
    ['/v1/config', `{"Kind":"service-resolver","Name":"a","Subsets":{"__proto__":{"Filter":""}}}`],
    ['/v1/config', `{"Kind":"service-intentions","Name":"a","Sources":[{"Name":"b","Action":"allow","LegacyMeta":{"__proto__":"x"}}]}`],
    ['/v1/connect/ca/configuration', `{"Provider":"consul","Config":${VALUE}}`],
    ['/v1/connect/ca/configuration', `{"Provider":"consul","Config":{"LeafCertTTL":"72h","\\u005f_proto__":{"polluted":"yes"}}}`],
    ['/v1/connect/intentions/exact?source=a&destination=b', `{"Action":"allow","Meta":{"__proto__":"x"}}`],
    ['/v1/session/create', `{"Name":"s","__proto__":{"TTL":"1s"}}`],
    ['/v1/txn', `[{"Node":{"Verb":"set","Node":{"Node":"m","Address":"1.1.1.1","Meta":{"__proto__":"x"}}}}]`],
    ['/v1/txn', `[{"Service":{"Verb":"set","Node":"m","Service":{"Service":"a","Meta":{"__proto__":"x"}}}}]`],
    ['/v1/query/00000000-0000-0000-0000-000000000000', `{"Name":"q","__proto__":{"polluted":"yes"}}`],
  ])('PUT %s %s is refused with its reason, and changes nothing', async (path, body) => {
    const before = await readAll();
    const { status, text } = await put(path, body);
    expect(status).toBe(400);
    expect(text).toContain('__proto__');
    expect(withoutIndexes(await readAll())).toBe(withoutIndexes(before));
    expect(Object.getOwnPropertyNames(Object.prototype).toSorted()).toEqual(PROTOTYPE_NAMES);
  });

  it('and names of Object.prototype are names like any other', async () => {
    for (const name of NAMES) {
      const writes: Answer[] = [
        await put('/v1/agent/service/register', { Name: name, ID: name, Tags: [name], Meta: { [`${name}x`]: name, constructor: 'c' } }),
        await put('/v1/agent/check/register', { Name: name, ID: name, TTL: '1h', ServiceID: name }),
        await put('/v1/catalog/register', { Node: name, Address: '10.0.0.1', Service: { Service: name }, NodeMeta: { toString: 'x' } }),
        await put(`/v1/kv/${name}/${name}`, name),
        await put('/v1/config', { Kind: 'service-defaults', Name: name, Protocol: 'tcp', Meta: { valueOf: 'x' } }),
        await put(`/v1/connect/intentions/exact?source=${name}&destination=${name}`, { Action: 'allow' }),
        await put(`/v1/event/fire/${name}`, name),
      ];
      expect([name, writes.map(({ status }) => status)]).toEqual([name, writes.map(() => 200)]);
    }
    await expect.poll(async () => (await send('GET', '/v1/catalog/services')).text).toContain('valueOf');
    const services = JSON.parse((await send('GET', '/v1/catalog/services')).text) as object;
    for (const name of NAMES) {
      expect(Object.hasOwn(services, name)).toBe(true);
      for (const path of [`catalog/service/${name}`, `health/service/${name}`, `catalog/node-services/${name}`]) {
        const { text } = await send('GET', `/v1/${path}`);
        expect([path, text.includes(`"${name}"`)]).toEqual([path, true]);
      }
    }
    const { text } = await send('GET', '/v1/agent/health/service/name/constructor?format=text');
    expect(text).not.toMatch(BUG);
    expect(Object.getOwnPropertyNames(Object.prototype).toSorted()).toEqual(PROTOTYPE_NAMES);
  });
});

/** Fields of definitions and entries at all levels, so that random objects reach the code behind them. */
const FIELDS =
  'Name ID Service Kind Port Ports Address Tags Meta Weights Passing Check Checks Connect SidecarService Native Proxy DestinationServiceName LocalServicePort Upstreams DestinationName LocalBindPort Config Mode TransparentProxy MeshGateway Expose Paths Path ListenerPort TaggedAddresses EnableTagOverride Locality TTL HTTP TCP Interval Timeout Status Notes Header Method Body Protocol UpstreamConfig Overrides Defaults Limits PassiveHealthCheck Destination Addresses Routes Match PathPrefix Splits Weight Subsets Filter DefaultSubset Redirect Failover Targets LoadBalancer HashPolicies Sources Action Permissions JWT Providers Listeners Services Hosts TLS Rules Matches Parents JSONWebKeySet Local Remote Listener'.split(
    ' ',
  );
const LEAVES = [
  '',
  '*',
  'a',
  'a/b',
  'http',
  'tcp',
  'connect-proxy',
  'allow',
  'deny',
  '10s',
  '-1s',
  '(',
  'x\u0000y',
  0,
  1,
  -1,
  0.5,
  8080,
  70_000,
  1e20,
  true,
  false,
  null,
];
const { tree } = fc.letrec<{ tree: unknown; object: unknown }>((tie) => ({
  tree: fc.oneof({ depthSize: 'small' }, fc.constantFrom(...LEAVES), fc.array(tie('tree'), { maxLength: 3 }), tie('object')),
  object: fc.dictionary(fc.constantFrom(...FIELDS, 'bogus', 'constructor'), tie('tree'), { maxKeys: 5 }),
}));
const fields = fc.dictionary(fc.constantFrom(...FIELDS), tree, { maxKeys: 5 });

describe('who may write a service (CVE-2023-2816, CVE-2020-12758, CVE-2022-24687, CVE-2023-0845, CVE-2023-1297)', () => {
  const write = fc.oneof(
    fields.map((body) => ({ path: '/v1/agent/service/register', body: { Name: 'fuzz', ...body } })),
    fields.map((Proxy) => ({
      path: '/v1/agent/service/register',
      body: { Name: 'fuzzp', Kind: 'connect-proxy', Port: 1, Proxy: { DestinationServiceName: 'a', ...Proxy } },
    })),
    fields.map((body) => ({ path: '/v1/agent/check/register', body: { Name: 'fuzz', TTL: '1h', ...body } })),
    fields.map((Service) => ({
      path: '/v1/catalog/register',
      body: { Node: 'fuzz', Address: '10.0.0.1', Service: { Service: 'a', ...Service } },
    })),
    fc
      .tuple(fc.constantFrom(...CONFIG_ENTRY_KINDS), fields)
      .map(([Kind, body]) => ({ path: '/v1/config', body: { Name: Kind === 'proxy-defaults' ? 'global' : 'a', ...body, Kind } })),
    fields.map((body) => ({ path: '/v1/connect/intentions/exact?source=a&destination=b', body: { Action: 'allow', ...body } })),
  );

  it('gets an answer in words for anything, and whatever was taken can be read and served by everybody', async () => {
    let accepted = 0;
    await fc.assert(
      fc.asyncProperty(write, async ({ path, body }) => {
        const { status, text } = await put(path, body);
        accepted += status === 200 ? 1 : 0;
        expect([200, 400, 403, 500]).toContain(status);
        expect(text).not.toMatch(BUG);
        if (status !== 200) expect(text).not.toBe('');
      }),
      { numRuns: 800, seed: 20_261_121 },
    );
    expect(accepted).toBeGreaterThan(50);
    expect(await readAll()).not.toMatch(BUG);
    for (const path of [
      '/v1/health/connect/a?merge-central-config',
      '/v1/discovery-chain/a',
      '/v1/agent/connect/ca/leaf/a',
      '/v1/catalog/gateway-services/a',
      '/v1/connect/intentions/match?by=destination&name=a',
      '/v1/connect/intentions/check?source=a&destination=b',
    ]) {
      const { text } = await send('GET', path);
      expect([path, text]).toEqual([path, expect.not.stringMatching(BUG)]);
    }
    expect(agent.log()).not.toMatch(/TypeError|RangeError|Cannot read|is not a function|malformed log entry/);
  });
});

describe('checks that run a program (security.md script checks, HCSEC 2018, CVE-2023-5332)', () => {
  const ran = (name: string): string => join(folder, name);
  const script = (name: string): object => ({ Args: ['/bin/sh', '-c', `echo ran > ${ran(name)}`], Interval: '10ms' });
  const definition = (name: string): object => ({ ScriptArgs: ['/bin/sh', '-c', `echo ran > ${ran(name)}`], Interval: '10ms' });

  async function registerAll(): Promise<Answer[]> {
    return [
      await put('/v1/agent/check/register', { Name: 'api', ...script('check') }),
      await put('/v1/agent/check/register', { Name: 'api', ...definition('check-script-args') }),
      await put('/v1/agent/service/register', { Name: 'scripted', Check: script('service') }),
      await put('/v1/agent/service/register', { Name: 'scripted', Checks: [script('services'), definition('services2')] }),
      await put('/v1/agent/service/register', { Name: 'scripted', Connect: { SidecarService: { Checks: [script('sidecar')] } } }),
      await put('/v1/agent/check/register', { Name: 'api', DockerContainerID: 'x', Shell: '/bin/sh', ...script('docker') }),
    ];
  }

  const REFUSED = /^Scripts are disabled on this agent from remote calls|^Docker checks are not supported/;

  it('are refused from the API by default', async () => {
    for (const answer of await registerAll()) expect(answer).toEqual({ status: 500, text: expect.stringMatching(REFUSED) });
    expect((await send('GET', '/v1/agent/services')).text).not.toContain('scripted');
  });

  it('run from files alone when local ones are enabled, never from the API, the catalog or a transaction', async () => {
    const file = join(folder, 'local.json');
    const args = ['/bin/sh', '-c', `echo ran >> ${ran('local')}`];
    writeFileSync(file, JSON.stringify({ check: { name: 'local', args, interval: '10ms' } }));
    const withoutScripts = agent;
    agent = await startLiveAgent('-enable-local-script-checks', `-config-file=${file}`);
    const check = { CheckID: 'remote', Name: 'remote', Status: 'passing', Definition: { ...definition('catalog'), Interval: '10ms' } };
    const written = [
      await put('/v1/catalog/register', { Node: 'test', Address: '127.0.0.1', Check: check }),
      await put('/v1/txn', [{ Check: { Verb: 'set', Check: { Node: 'test', ...check, CheckID: 'txn' } } }]),
    ];
    const refused = await registerAll();
    const runs = (): number => (existsSync(ran('local')) ? readFileSync(ran('local'), 'utf8').split('\n').length : 0);
    const soFar = runs();
    await expect.poll(runs, { timeout: 15_000 }).toBeGreaterThan(soFar + 3);
    await agent.stop();
    agent = withoutScripts;
    expect(written.map(({ status }) => status)).toEqual([200, 200]);
    for (const { text } of refused) expect(text).toMatch(REFUSED);
    expect(readdirSync(folder).toSorted()).toEqual(['local', 'local.json']);
  });
});

describe('a path in a body (CVE-2026-2808, CVE-2026-5061)', () => {
  it('opens no file of the agent: what is in it never comes out', async () => {
    const secret = join(folder, 'secret.pem');
    const canary = 'canary-of-a-file';
    writeFileSync(secret, canary);
    const bodies: [string, unknown][] = [
      ['/v1/config', { Kind: 'jwt-provider', Name: 'j', JSONWebKeySet: { Local: { Filename: secret } } }],
      ['/v1/config', { Kind: 'file-system-certificate', Name: 'f', Certificate: secret, PrivateKey: secret }],
      [
        '/v1/config',
        { Kind: 'terminating-gateway', Name: 't', Services: [{ Name: 'a', CAFile: secret, CertFile: secret, KeyFile: secret }] },
      ],
      ['/v1/connect/ca/configuration', { Provider: 'consul', Config: { PrivateKey: secret, RootCert: secret, CAFile: secret } }],
      [
        '/v1/connect/ca/configuration',
        { Provider: 'vault', Config: { CAFile: secret, AuthMethod: { Type: 'kubernetes', Params: { token_path: secret } } } },
      ],
      ['/v1/agent/service/register', { Name: 'files', Check: { HTTP: `file://${secret}`, Interval: '10ms' } }],
      ['/v1/agent/service/register', { Name: 'files', SocketPath: secret, Check: { TCP: secret, Interval: '10ms' } }],
      ['/v1/agent/check/register', { Name: 'files', HTTP: 'https://127.0.0.1:1', TLSServerName: secret, Interval: '10ms' }],
      ['/v1/kv/file', `@${secret}`],
    ];
    const answers: string[] = [];
    for (const [path, body] of bodies) answers.push((await put(path, body)).text);
    for (const path of [
      '/v1/agent/connect/ca/leaf/files',
      '/v1/connect/ca/roots',
      '/v1/config/jwt-provider/j',
      '/ui/../../../../etc/hostname',
      `/ui/%2e%2e/%2e%2e${secret}`,
    ]) {
      answers.push((await send('GET', path)).text);
    }
    await expect.poll(async () => (await send('GET', '/v1/agent/checks')).text).toMatch(/unsupported|invalid|critical/);
    answers.push(await readAll(), agent.log());
    for (const text of answers) expect(text).not.toContain(canary);
  });
});

function withoutIndexes(text: string): string {
  return text.replace(/"[^"]*(?:Index|Time|uptime|goroutines|alloc|Bytes)"?[^\n]*/gi, '').replace(/"stats":[\s\S]*/i, '');
}
