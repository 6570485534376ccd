import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LictorError, NO_TOKEN, Secret } from '@lictor/protocol';
import { afterEach, describe, expect, it } from 'vitest';
import { createTestAgent, serviceOf, type TestAgent } from './testing/harness.ts';

const API = { token: NO_TOKEN, source: 'api' } as const;
const agents: TestAgent[] = [];
const folders: string[] = [];
afterEach(async () => {
  for (const { agent } of agents.splice(0)) await agent.stop();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

async function start(
  config: Parameters<typeof createTestAgent>[0] = {},
  catalog?: Parameters<typeof createTestAgent>[1],
): Promise<TestAgent> {
  const test = createTestAgent(config, catalog);
  agents.push(test);
  await test.agent.start();
  await test.settle();
  return test;
}

function dataDir(): string {
  const folder = mkdtempSync(join(tmpdir(), 'lictor-'));
  folders.push(folder);
  return folder;
}

const WEB = serviceOf({ name: 'web', port: 8080, tags: ['v1'], meta: { a: 'b' }, check: { ttl: '30s' }, connect: { sidecar_service: {} } });

describe('registering a service with a sidecar (consul-facts 4.2, S014-S016)', () => {
  it('leaves it a port of the range that its owner named once and no longer does, as Consul', async () => {
    const { agent } = await start();
    await agent.services.register(serviceOf({ name: 'web', port: 1, connect: { sidecar_service: { port: 21_100 } } }), API);
    await agent.services.register(serviceOf({ name: 'web', port: 1, connect: { sidecar_service: {} } }), API);
    expect(agent.services.get('web-sidecar-proxy')?.Port).toBe(21_100);
  });

  it('gives the sidecar the lowest free port, and checks of its own', async () => {
    const { agent } = await start();
    await agent.services.register(WEB, API);
    await agent.services.register(serviceOf({ name: 'api', port: 1, connect: { sidecar_service: {} } }), API);
    expect(agent.services.get('web-sidecar-proxy')).toMatchObject({ Kind: 'connect-proxy', Port: 21000, Tags: ['v1'], Meta: { a: 'b' } });
    expect(agent.services.get('api-sidecar-proxy')?.Port).toBe(21001);
    const checks = [...agent.checks.list().values()].filter(({ ServiceID }) => ServiceID === 'web-sidecar-proxy');
    expect(checks.map(({ CheckID, Name, Status, Type }) => [CheckID, Name, Status, Type])).toEqual([
      ['service:web-sidecar-proxy:1', 'Connect Sidecar Listening', 'critical', 'tcp'],
      ['service:web-sidecar-proxy:2', 'Connect Sidecar Aliasing web', 'critical', 'alias'],
    ]);
  });

  it('keeps the port when it is registered again, and frees it when it goes', async () => {
    const { agent } = await start();
    await agent.services.register(serviceOf({ name: 'a', port: 1, connect: { sidecar_service: {} } }), API);
    await agent.services.register(WEB, API);
    await agent.services.register(WEB, API);
    expect(agent.services.get('web-sidecar-proxy')?.Port).toBe(21001);
    await agent.services.deregister('a');
    expect(agent.services.get('a-sidecar-proxy')).toBeUndefined();
    await agent.services.register(WEB, API);
    expect(agent.services.get('web-sidecar-proxy')?.Port).toBe(21001);
    await agent.services.register(serviceOf({ name: 'b', port: 1, connect: { sidecar_service: {} } }), API);
    expect(agent.services.get('b-sidecar-proxy')?.Port).toBe(21000);
  });

  it('names the range when it is used up, and changes nothing then', async () => {
    const { agent } = await start({ sidecarPorts: { min: 21000, max: 21000 } });
    await agent.services.register(WEB, API);
    const refused = agent.services.register(serviceOf({ name: 'b', port: 1, connect: { sidecar_service: {} } }), API);
    await expect(refused).rejects.toThrow('no port provided for sidecar_service and none left in the configured range [21000, 21000]');
    expect([...agent.services.list().keys()]).toEqual(['web', 'web-sidecar-proxy']);
  });

  it('drops the sidecar with the block that asked for it, and with its parent', async () => {
    const { agent } = await start();
    await agent.services.register(WEB, API);
    await agent.services.register(serviceOf({ name: 'web', port: 8080 }), API);
    expect([...agent.services.list().keys()]).toEqual(['web']);
    await agent.services.register(WEB, API);
    await agent.services.deregister('web');
    expect(agent.services.list().size).toBe(0);
    expect(agent.checks.list().size).toBe(0);
  });

  it('keeps what a check found over a re-registration, and drops unnamed checks only when asked to', async () => {
    const { agent } = await start();
    await agent.services.register(WEB, API);
    agent.checks.updateTtl('service:web', 'passing', 'fine');
    await agent.services.register(WEB, API);
    expect(agent.checks.get('service:web')).toMatchObject({ Status: 'passing', Output: 'fine' });
    const bare = serviceOf({ name: 'web', port: 8080 });
    await agent.services.register(bare, API);
    expect(agent.checks.get('service:web')).toBeDefined();
    await agent.services.register(bare, { ...API, replaceExistingChecks: true });
    expect(agent.checks.get('service:web')).toBeUndefined();
  });

  it('refuses scripts before anything is registered (security.md: script checks)', async () => {
    const { agent } = await start();
    const withScript = serviceOf({ name: 'web', check: { args: ['ls'], interval: '1s' } });
    await expect(agent.services.register(withScript, API)).rejects.toMatchObject({
      code: 'rejected',
      message: "Scripts are disabled on this agent from remote calls; to enable, configure 'enable_script_checks' to true",
    });
    expect(agent.services.list().size).toBe(0);
    const local = await start({ enableLocalScriptChecks: true });
    await expect(local.agent.services.register(withScript, API)).rejects.toThrow('from remote calls');
    await local.agent.services.register(withScript, { ...API, source: 'config' });
    expect(local.agent.services.list().size).toBe(1);
  });

  it('knows no service by another name', async () => {
    const { agent } = await start();
    const unknown = 'Unknown service ID "nope". Ensure that the service ID is passed, not the service name.';
    await expect(agent.services.deregister('nope')).rejects.toMatchObject({ code: 'not-found', message: unknown });
    await expect(agent.services.setMaintenance('nope', true, '', NO_TOKEN)).rejects.toMatchObject({ message: unknown });
  });
});

describe('maintenance (consul-facts O011)', () => {
  it('is a critical check, with the reason as its notes, on a service and on the node', async () => {
    const { agent } = await start();
    await agent.services.register(WEB, API);
    await agent.services.setMaintenance('web', true, 'why', NO_TOKEN);
    agent.services.setNodeMaintenance(true, '', NO_TOKEN);
    expect(agent.checks.get('_service_maintenance:web')).toMatchObject({
      Status: 'critical',
      Notes: 'why',
      ServiceID: 'web',
      Type: 'maintenance',
    });
    expect(agent.checks.get('_node_maintenance')?.Notes).toContain('no reason was provided');
    await agent.services.setMaintenance('web', false, '', NO_TOKEN);
    agent.services.setNodeMaintenance(false, '', NO_TOKEN);
    expect([...agent.checks.list().keys()].filter((id) => id.startsWith('_'))).toEqual([]);
  });
});

describe('checks over the API (observed: agent-checks)', () => {
  it.each([
    [{ ttl: '1s' }, 'invalid-argument', 'Missing check name'],
    [{ name: 'x' }, 'invalid-argument', 'Invalid check: TTL must be > 0 for TTL checks'],
    [{ name: 'x', ttl: '1s', interval: '1s' }, 'invalid-argument', 'Invalid check: Interval and TTL cannot both be specified'],
    [{ name: 'x', ttl: '1s', status: 'bogus' }, 'invalid-argument', 'Bad check status'],
    [{ name: 'x', ttl: '1s', service_id: 'nope' }, 'not-found', 'ServiceID "nope" does not exist'],
    [
      { name: 'x', args: ['ls'], docker_container_id: 'd', interval: '1s' },
      'rejected',
      "Scripts are disabled on this agent from remote calls; to enable, configure 'enable_script_checks' to true",
    ],
  ])('refuses %j', async (fields, code, message) => {
    const { agent } = await start();
    const { checkOf } = await import('../checks/testing/definitions.ts');
    const definition = { ...checkOf(fields), Name: 'name' in fields ? fields.name : '' };
    await expect(agent.checks.register(definition, API)).rejects.toMatchObject({ code, message });
  });

  it('reports go to TTL checks only', async () => {
    const { agent } = await start();
    const { checkOf } = await import('../checks/testing/definitions.ts');
    await agent.checks.register(checkOf({ name: 'h', tcp: '127.0.0.1:1', interval: '10s' }), API);
    expect(() => agent.checks.updateTtl('h', 'passing', '')).toThrow(
      new LictorError('rejected', 'CheckID "h" does not have associated TTL'),
    );
    expect(() => agent.checks.updateTtl('no', 'passing', '')).toThrow(
      'Unknown check ID "no". Ensure that the check ID is passed, not the check name.',
    );
  });
});

describe('what outlives a restart (consul-facts K006)', () => {
  it('is every API registration, its sidecar on the same port, its token, its checks and the state of TTL checks', async () => {
    const folder = dataDir();
    const first = await start({ dataDir: folder });
    await first.agent.services.register(serviceOf({ name: 'a', port: 1, connect: { sidecar_service: {} } }), API);
    await first.agent.services.register(WEB, { ...API, token: new Secret('secret-token') });
    await first.agent.services.deregister('a');
    first.agent.checks.updateTtl('service:web', 'passing', 'fine');
    await first.agent.services.setMaintenance('web', true, 'why', NO_TOKEN);
    await first.agent.stop();
    const second = await start({ dataDir: folder });
    expect([...second.agent.services.list().keys()].sort()).toEqual(['web', 'web-sidecar-proxy']);
    expect(second.agent.services.get('web-sidecar-proxy')).toMatchObject({ Port: 21001, LocallyRegisteredAsSidecar: true });
    expect(second.agent.checks.get('service:web')).toMatchObject({ Status: 'passing', Output: 'fine' });
    expect(second.agent.checks.get('_service_maintenance:web')?.Notes).toBe('why');
    const sent = second.server.calls.find(
      ({ method, request }) => method === 'Catalog.Register' && JSON.stringify(request).includes('"ID":"web"'),
    );
    expect(sent?.options.token?.reveal()).toBe('secret-token');
    expect(JSON.stringify(sent?.request)).not.toContain('secret-token');
  });

  it('is not a TTL report whose time was over before the restart', async () => {
    const folder = dataDir();
    const first = await start({ dataDir: folder });
    await first.agent.services.register(WEB, API);
    first.agent.checks.updateTtl('service:web', 'passing', 'fine');
    await first.agent.stop();
    const second = createTestAgent({ dataDir: folder });
    agents.push(second);
    second.clock.jumpWallClock(30_000);
    await second.agent.start();
    expect(second.agent.checks.get('service:web')).toMatchObject({ Status: 'critical', Output: '' });
  });

  it('gives way to a file that defines the service again', async () => {
    const folder = dataDir();
    const first = await start({ dataDir: folder });
    await first.agent.services.register(serviceOf({ name: 'web', port: 1 }), API);
    await first.agent.stop();
    const second = await start({ dataDir: folder, services: [serviceOf({ name: 'web', port: 2 })] });
    expect(second.agent.services.get('web')?.Port).toBe(2);
  });

  it('does not include what came from files', async () => {
    const folder = dataDir();
    const first = await start({ dataDir: folder, services: [WEB] });
    await first.agent.stop();
    const second = await start({ dataDir: folder });
    expect(second.agent.services.list().size).toBe(0);
  });

  it('sets a damaged file aside, says so, and starts', async () => {
    const folder = dataDir();
    const first = await start({ dataDir: folder });
    await first.agent.services.register(WEB, API);
    await first.agent.stop();
    const [file = ''] = readdirSync(join(folder, 'services')).filter((name) => /^[0-9a-f]{64}/.test(name));
    writeFileSync(join(folder, 'services', file), '{"version":1,"serv');
    const second = await start({ dataDir: folder });
    expect(second.agent.services.list().size).toBe(1);
    expect(second.logger.lines).toContainEqual(
      expect.objectContaining({ level: 'error', message: expect.stringContaining('damaged file') }),
    );
    expect(readdirSync(join(folder, 'services'))).toContain(`${file}.damaged`);
  });
});

describe('the effective service (consul-facts E020, H052)', () => {
  it('has central configuration below the registration, and a hash that follows both', async () => {
    const { agent, catalog } = await start();
    await agent.services.register(WEB, API);
    const id = 'web-sidecar-proxy';
    const first = await agent.services.effective(id, NO_TOKEN);
    expect(await agent.services.effective(id, NO_TOKEN)).toBe(first);
    const changed = agent.services.waitForChange(id, first?.contentHash ?? '', 60_000, NO_TOKEN);
    catalog.setCentralConfig({ protocol: 'http' });
    const second = await changed;
    expect(second?.service.Proxy.Config).toEqual({ protocol: 'http' });
    expect(second?.contentHash).not.toBe(first?.contentHash);
    expect(second?.contentHash).toMatch(/^[0-9a-f]{1,16}$/);
  });

  it('asks for the upstreams of peers by peer and name', async () => {
    const { agent, server } = await start();
    const upstreams = [
      { destination_name: 'db', destination_peer: 'east', local_bind_port: 1 },
      { destination_name: 'db', local_bind_port: 2 },
      { destination_name: 'q', destination_type: 'prepared_query', local_bind_port: 3 },
    ];
    await agent.services.register(serviceOf({ name: 'web', port: 1, connect: { sidecar_service: { proxy: { upstreams } } } }), API);
    await agent.services.effective('web-sidecar-proxy', NO_TOKEN);
    const call = server.calls.find(({ method }) => method === 'ConfigEntry.ResolveServiceConfig');
    expect(call?.request).toEqual({ service: 'web', upstreams: ['db', 'east/db'] });
  });

  it('wakes a wait when the service changes, goes, or the time is over', async () => {
    const test = await start();
    const { agent, clock } = test;
    await agent.services.register(WEB, API);
    const hash = (await agent.services.effective('web', NO_TOKEN))?.contentHash ?? '';
    const changed = agent.services.waitForChange('web', hash, 60_000, NO_TOKEN);
    await test.settle();
    await agent.services.register({ ...WEB, Port: 9090 }, API);
    const next = await changed;
    expect(next?.service.Port).toBe(9090);
    const same = agent.services.waitForChange('web', next?.contentHash ?? '', 60_000, NO_TOKEN);
    await clock.advance(60_000);
    expect((await same)?.contentHash).toBe(next?.contentHash);
    const gone = agent.services.waitForChange('web', next?.contentHash ?? '', 60_000, NO_TOKEN);
    await test.settle();
    await agent.services.deregister('web');
    expect(await gone).toBeUndefined();
  });

  it('ends a wait when its caller goes', async () => {
    const test = await start();
    const { agent } = test;
    await agent.services.register(WEB, API);
    const hash = (await agent.services.effective('web', NO_TOKEN))?.contentHash ?? '';
    const caller = new AbortController();
    const waiting = agent.services.waitForChange('web', hash, 60_000, NO_TOKEN, caller.signal);
    await test.settle();
    caller.abort();
    expect((await waiting)?.contentHash).toBe(hash);
  });

  it('is unknown for a service that is not there', async () => {
    const { agent } = await start();
    expect(await agent.services.effective('nope', NO_TOKEN)).toBeUndefined();
  });
});
