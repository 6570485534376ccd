import { get } from 'node:http';
import { createGunzip } from 'node:zlib';
import { FakeClock } from '@lictor/protocol/testing';
import { type Intention, Secret } from '@lictor/protocol';
import { afterEach, describe, expect, it } from 'vitest';
import { LogHub } from '../../../telemetry/log-hub.ts';
import { MetricsRegistry } from '../../../telemetry/registry.ts';
import { createTestConfig } from '../../../testing/config.ts';
import { startTestApi, type TestApi } from '../../../testing/http.ts';
import { readReply } from '../../../testing/server-port.ts';

let api: TestApi;

afterEach(async () => {
  await api.close();
});

async function register(definition: object): Promise<Response> {
  return api.request('/v1/agent/service/register', { method: 'PUT', body: JSON.stringify(definition) });
}

describe('registering a service', () => {
  it('takes both casings and keeps the caller’s token apart from the definition', async () => {
    api = await startTestApi();
    const response = await api.request('/v1/agent/service/register?replace-existing-checks', {
      method: 'PUT',
      headers: { 'X-Consul-Token': 'caller' },
      body: '{"name":"web","enable_tag_override":true}',
    });
    expect([response.status, await response.text()]).toEqual([200, '']);
    const [registration] = api.services.registrations;
    expect(registration?.definition).toMatchObject({ Name: 'web', EnableTagOverride: true });
    expect(registration?.options).toMatchObject({ replaceExistingChecks: true, source: 'api' });
    expect(registration?.options.token.reveal()).toBe('caller');
  });

  it.each([
    ['', 'Request decode failed: EOF'],
    ['{', 'Request decode failed: unexpected EOF'],
    ['{"Port":1}', 'Missing service name'],
    ['{"Name":"x","Bogus":1}', 'Request decode failed: json: unknown field "Bogus"'],
    ['{"Name":"x","Port":"abc"}', 'Request decode failed: json: cannot unmarshal string into Go struct field .Alias.Port of type int'],
    ['{"Name":"x","Check":{"Interval":"abc"}}', 'Request decode failed: time: invalid duration "abc"'],
  ])('refuses %j as Consul does', async (body, text) => {
    api = await startTestApi();
    const response = await api.request('/v1/agent/service/register', { method: 'PUT', body });
    expect([response.status, await response.text()]).toEqual([400, text]);
    expect(api.services.registrations).toEqual([]);
  });
});

describe('one service (consul-facts H052)', () => {
  it('blocks while the hash is the same and answers when it changes', async () => {
    api = await startTestApi();
    await register({ Name: 'web', Port: 80 });
    const first = await api.request('/v1/agent/service/web');
    const hash = first.headers.get('x-consul-contenthash') ?? '';
    expect(await first.json()).toMatchObject({ ID: 'web', ContentHash: hash, Port: 80 });
    const blocked = api.request(`/v1/agent/service/web?hash=${hash}&wait=60s`);
    await expect.poll(() => api.api.waiting).toBe(1);
    await register({ Name: 'web', Port: 81 });
    expect(await (await blocked).json()).toMatchObject({ Port: 81 });
  });

  it('is not found when unknown', async () => {
    api = await startTestApi();
    const response = await api.request('/v1/agent/service/nope');
    expect([response.status, await response.text()]).toEqual([404, 'unknown service ID: nope']);
  });

  it('has its checks run at once when its sidecar says that it is ready', async () => {
    api = await startTestApi();
    await register({ Name: 'web' });
    expect((await api.request('/v1/agent/lictor/proxy-ready/web', { method: 'PUT' })).status).toBe(200);
    expect(api.checks.ran).toEqual(['web']);
    expect((await api.request('/v1/agent/lictor/proxy-ready/nope', { method: 'PUT' })).status).toBe(404);
  });
});

describe('the worst state as a status code (consul-facts H053)', () => {
  it.each([
    [[], 200, 'passing'],
    [['passing', 'warning'], 429, 'warning'],
    [['warning', 'critical'], 503, 'critical'],
  ] as const)('%j is %i', async (states, status, word) => {
    api = await startTestApi();
    await register({ Name: 'web' });
    for (const [position, state] of states.entries()) api.checks.put({ CheckID: `c${position}`, Status: state, ServiceID: 'web' });
    const response = await api.request('/v1/agent/health/service/name/web');
    expect([response.status, response.headers.get('x-consul-reason')]).toEqual([status, word]);
    const text = await api.request('/v1/agent/health/service/id/web?format=text');
    expect([text.status, text.headers.get('content-type'), await text.text()]).toEqual([status, 'text/plain', word]);
  });

  it('puts maintenance before everything else', async () => {
    api = await startTestApi();
    await register({ Name: 'web' });
    api.checks.put({ CheckID: '_node_maintenance', Status: 'critical' });
    expect((await api.request('/v1/agent/health/service/name/web')).headers.get('x-consul-reason')).toBe('maintenance');
  });
});

describe('connect authorize (consul-facts H065)', () => {
  const ask = (body: object): Promise<Response> =>
    api.request('/v1/agent/connect/authorize', { method: 'POST', body: JSON.stringify(body) });
  const web = 'spiffe://11111111-2222-3333-4444-555555555555.consul/ns/default/dc/dc1/svc/web';

  const rule = (source: string, destination: string): Intention => ({
    ID: '',
    Description: '',
    SourceNS: 'default',
    SourceName: source,
    DestinationNS: 'default',
    DestinationName: destination,
    SourceType: 'consul',
    Action: 'deny',
    Meta: {},
    Precedence: 9,
    CreatedAt: '',
    UpdatedAt: '',
    CreateIndex: 1,
    ModifyIndex: 1,
  });

  it('decides by the intentions of the target, from the cache', async () => {
    api = await startTestApi();
    const deny = rule('web', 'db');
    api.server.handlers = { 'Intention.Match': ({ names }) => readReply([names[0] === 'db' ? [deny] : []]) };
    const denied = await ask({ Target: 'db', ClientCertURI: web });
    expect(denied.headers.get('x-cache')).toBe('MISS');
    expect(await denied.json()).toMatchObject({ Authorized: false });
    expect(await (await ask({ Target: 'other', ClientCertURI: web })).json()).toEqual({
      Authorized: true,
      Reason: 'Default behavior configured by ACLs',
    });
  });

  it('answers a question that it has heard before by the rules of now', async () => {
    let config = createTestConfig();
    api = await startTestApi({ config: () => config });
    let rules: readonly Intention[] = [];
    api.server.handlers = { 'Intention.Match': () => readReply([rules]) };
    const authorized = async (): Promise<unknown> =>
      ((await (await ask({ Target: 'db', ClientCertURI: web })).json()) as { Authorized: boolean }).Authorized;
    expect([await authorized(), await authorized()]).toEqual([true, true]);
    config = { ...config, defaultIntentionPolicy: 'deny' };
    expect(await authorized()).toBe(false);
    rules = [{ ...rule('web', 'db'), Action: 'allow' }];
    expect(await authorized()).toBe(true);
    rules = [{ ...rule('web', 'db'), Action: 'deny' }];
    expect(await authorized()).toBe(false);
    // Nobody else's question, however alike.
    const other = await ask({ Target: 'db', ClientCertURI: web.replace('svc/web', 'svc/web2') });
    expect(await other.json()).toMatchObject({ Authorized: false, Reason: 'Default intention policy' });
  });

  it.each([
    [{}, 'Target service must be specified'],
    [{ Target: 'db', ClientCertURI: 'bogus' }, 'ClientCertURI not a valid Connect identifier'],
    [{ Target: 'db', ClientCertURI: 'spiffe://x.consul/agent/client/dc/dc1/id/n' }, 'ClientCertURI not a valid Service identifier'],
  ])('refuses %j', async (body, text) => {
    api = await startTestApi();
    const response = await ask(body);
    expect([response.status, await response.text()]).toEqual([400, text]);
  });
});

/** What a stream sent until `until` matches; the connection is closed then. */
function readStream(
  path: string,
  until: RegExp,
  headers: Record<string, string> = {},
): Promise<{ text: string; encoding: string | undefined }> {
  return new Promise((resolve, reject) => {
    const request = get({ host: '127.0.0.1', port: api.port, path, headers }, (response) => {
      const encoding = response.headers['content-encoding'];
      const body = encoding === 'gzip' ? response.pipe(createGunzip()) : response;
      let text = '';
      body.on('data', (chunk: Buffer) => {
        text += chunk.toString();
        if (!until.test(text)) return;
        request.destroy();
        resolve({ text, encoding });
      });
      body.on('error', () => undefined);
    });
    request.on('error', (error) => (request.destroyed ? undefined : reject(error)));
  });
}

describe('live streams', () => {
  it.each([
    [{}, undefined],
    [{ 'Accept-Encoding': 'gzip' }, 'gzip'],
  ])('send log lines as they come, with %j', async (headers, encoding) => {
    const logs = new LogHub({ level: 'error', json: false, writers: [], clock: new FakeClock() });
    api = await startTestApi({ logs });
    const stream = readStream('/v1/agent/monitor?loglevel=debug', /second/, headers);
    await expect.poll(() => logs.isEnabled('debug')).toBe(true);
    logs.logger('agent').debug('first');
    logs.logger('agent').info('second', { token: new Secret('canary') });
    const { text, encoding: used } = await stream;
    expect(used).toBe(encoding);
    expect(text).toMatch(/\[DEBUG\] agent: first\n.*\[INFO\] {2}agent: second: token=<hidden>\n/s);
    await expect.poll(() => logs.isEnabled('debug')).toBe(false);
  });

  it('send each interval of metrics', async () => {
    const clock = new FakeClock();
    const registry = createRegistry(clock);
    api = await startTestApi({ metricsView: registry });
    const stream = readStream('/v1/agent/metrics/stream', /consul\.a/);
    await expect.poll(() => api.api.waiting).toBe(1);
    registry.start();
    registry.incrCounter('a');
    await clock.advance(10_000);
    expect((await stream).text).toContain('"Name": "consul.a"');
  });

  it.each(['bogus', 'constructor', '__proto__'])('refuse the unknown level %s', async (level) => {
    api = await startTestApi();
    const response = await api.request(`/v1/agent/monitor?loglevel=${level}`, { signal: AbortSignal.timeout(5000) });
    expect([response.status, await response.text()]).toEqual([400, `Unknown log level: ${level}`]);
  });
});

function createRegistry(clock: FakeClock): MetricsRegistry {
  return new MetricsRegistry({
    prefix: 'consul',
    hostname: 'host',
    disableHostname: true,
    prefixFilter: [],
    filterDefault: true,
    prometheusRetentionMs: 60_000,
    clock,
  });
}

describe('secrets (CVE-2020-28053)', () => {
  it('never leave through self, metrics, monitor or errors', async () => {
    const canary = 'canary-b1f7';
    const base = createTestConfig();
    const tokens = Object.fromEntries(Object.keys(base.tokens).map((kind) => [kind, new Secret(canary)])) as typeof base.tokens;
    const addresses = ['10.0.0.1', `provider=aws region=eu secret_access_key=${canary} tag_key=a`];
    const lan = { ...base.gossip.lan, join: { ...base.gossip.lan.join, addresses } };
    const gossip = { ...base.gossip, lan, encryptKey: new Secret(canary) };
    const caConfig = { PrivateKey: canary, Token: canary, Nested: { secret_id: canary }, LeafCertTTL: '72h' };
    const lines: string[] = [];
    const logs = new LogHub({
      level: 'trace',
      json: false,
      writers: [{ write: (line) => lines.push(line), flush: () => undefined }],
      clock: new FakeClock(),
    });
    const registry = createRegistry(new FakeClock());
    api = await startTestApi(
      { logs, logger: logs.logger('agent'), metrics: registry, metricsView: registry },
      { tokens, gossip, connect: { ...base.connect, caConfig }, telemetry: { ...base.telemetry, prometheusRetentionMs: 60_000 } },
    );
    api.server.handlers = { 'Coordinate.Node': () => readReply([]) };
    const paths = ['/v1/agent/self', '/v1/agent/metrics', '/v1/agent/metrics?format=prometheus', '/v1/kv/a', '/v1/nope'];
    for (const path of paths) {
      const response = await api.request(`${path}${path.includes('?') ? '&' : '?'}token=${canary}`, {
        headers: { 'X-Consul-Token': canary },
      });
      expect(await response.text()).not.toContain(canary);
    }
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.join('')).not.toContain(canary);
    const self = (await (await api.request('/v1/agent/self')).json()) as {
      DebugConfig: { ConnectCAConfig: object; RetryJoinLAN: string[] };
    };
    expect(self.DebugConfig.RetryJoinLAN).toEqual(['10.0.0.1', 'provider=aws region=eu secret_access_key=hidden tag_key=hidden']);
    expect(self.DebugConfig.ConnectCAConfig).toMatchObject({ PrivateKey: 'hidden', LeafCertTTL: '72h' });
  });
});

describe('GET /v1/agent/self', () => {
  const coordOf = async (hasCoordinates: boolean): Promise<unknown> => {
    api = await startTestApi({}, { gossip: { ...createTestConfig().gossip, hasCoordinates } });
    return ((await (await api.request('/v1/agent/self')).json()) as { Coord: unknown }).Coord;
  };

  it('says where this node is in the network', async () => {
    expect(await coordOf(true)).toEqual({ Vec: [0, 0, 0, 0, 0, 0, 0, 0], Error: 1.5, Adjustment: 0, Height: 0.000_01 });
  });

  it('says nothing of it with disable_coordinates', async () => {
    expect(await coordOf(false)).toBeNull();
  });
});

describe('the agent’s tokens (consul-facts H050)', () => {
  it('cannot be set while ACLs are off', async () => {
    api = await startTestApi();
    const response = await api.request('/v1/agent/token/default', { method: 'PUT', body: '{"Token":"x"}' });
    expect([response.status, await response.text()]).toEqual([401, 'ACL support disabled']);
  });

  it('are known under the names of three generations', async () => {
    const set: [string, string][] = [];
    const allow = { allows: () => true, allowsPrefix: () => true, allowsAny: () => true, accessorId: 'a' };
    const tokens = {
      get: () => new Secret(''),
      set: (kind: string, token: Secret): Promise<void> => {
        set.push([kind, token.reveal()]);
        return Promise.resolve();
      },
    };
    api = await startTestApi({ tokens, authorizer: () => Promise.resolve(allow) }, { aclEnabled: true });
    const put = (type: string): Promise<Response> => api.request(`/v1/agent/token/${type}`, { method: 'PUT', body: '{"Token":"x"}' });
    for (const type of ['default', 'acl_token', 'agent_master', 'dns']) expect((await put(type)).status).toBe(200);
    expect(set.map(([kind]) => kind)).toEqual(['default', 'default', 'agentRecovery', 'dns']);
    const unknown = await put('bogus');
    expect([unknown.status, await unknown.text()]).toEqual([404, 'Token "bogus" is unknown']);
  });
});
