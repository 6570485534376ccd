import { NO_TOKEN } from '@lictor/protocol';
import { afterEach, describe, expect, it } from 'vitest';
import { ConfigError } from '../config/index.ts';
import { createTestAgent, serviceOf, type TestAgent } from '../local/testing/harness.ts';
import { createTestConfig } from '../testing/config.ts';

const API = { token: NO_TOKEN, source: 'api' } as const;
const agents: TestAgent[] = [];
afterEach(async () => {
  for (const { agent } of agents.splice(0)) await agent.stop();
});

const WEB = serviceOf({ name: 'web', port: 1, check: { ttl: '1h' }, connect: { sidecar_service: {} } });
const DB = serviceOf({ name: 'db', port: 2 });

async function start(services = [WEB, DB]): Promise<TestAgent> {
  const test = createTestAgent({ services });
  agents.push(test);
  await test.agent.start();
  await test.settle();
  return test;
}

async function reload(test: TestAgent, config: Parameters<typeof createTestConfig>[0]): Promise<void> {
  test.nextConfig = createTestConfig(config);
  await test.agent.lifecycle.reload();
  await test.settle();
}

describe('reloading (consul-facts K004, K005)', () => {
  it('registers what is new, drops what files no longer name, and keeps what the API registered', async () => {
    const test = await start();
    await test.agent.services.register(serviceOf({ name: 'api-made', port: 3, connect: { sidecar_service: {} } }), API);
    await reload(test, { services: [WEB, serviceOf({ name: 'cache', port: 4 })] });
    const ids = ['api-made', 'api-made-sidecar-proxy', 'cache', 'web', 'web-sidecar-proxy'];
    expect([...test.agent.services.list().keys()].sort()).toEqual(ids);
    expect([...test.catalog.services.keys()].sort()).toEqual(ids);
  });

  it('leaves unchanged definitions alone: state, ports and timers', async () => {
    const test = await start();
    test.agent.checks.updateTtl('service:web', 'passing', 'fine');
    const before = test.agent.services.get('web');
    await reload(test, { services: [WEB] });
    expect(test.agent.services.get('web')).toBe(before);
    expect(test.agent.checks.get('service:web')).toMatchObject({ Status: 'passing', Output: 'fine' });
  });

  it('registers changed definitions anew, on the same sidecar port', async () => {
    const test = await start();
    await reload(test, {
      services: [
        { ...DB, Connect: { Native: false, SidecarService: serviceOf({}) } },
        { ...WEB, Port: 8 },
      ],
    });
    expect(test.agent.services.get('web')?.Port).toBe(8);
    expect(test.agent.services.get('web-sidecar-proxy')?.Port).toBe(21000);
    expect(test.agent.services.get('db-sidecar-proxy')?.Port).toBe(21001);
  });

  it('changes nothing when the files are broken, and says where', async () => {
    const test = await start();
    test.nextConfig = new ConfigError('failed to parse /x.hcl: bad', { file: '/x.hcl', line: 3, key: 'service.prot' });
    await expect(test.agent.lifecycle.reload()).rejects.toThrow(
      'Failed to reload config: failed to parse /x.hcl: bad (/x.hcl:3, service.prot)',
    );
    test.nextConfig = createTestConfig({
      services: [serviceOf({ name: 'new' }), serviceOf({ name: 'bad', check: { args: ['x'], interval: '1s' } })],
    });
    await expect(test.agent.lifecycle.reload()).rejects.toThrow('service "bad": Scripts are disabled');
    expect([...test.agent.services.list().keys()].sort()).toEqual(['db', 'web', 'web-sidecar-proxy']);
  });

  it('takes over what may change and warns about what may not', async () => {
    const test = await start();
    await reload(test, {
      services: [WEB, DB],
      nodeMeta: { a: 'b' },
      nodeName: 'other',
      log: { ...createTestConfig().log, level: 'error' },
    });
    expect(test.agent.config()).toMatchObject({ nodeName: 'test', nodeMeta: { a: 'b' }, log: { level: 'error' } });
    expect(test.catalog.node?.Meta).toMatchObject({ a: 'b' });
    expect(test.logger.lines).toContainEqual(expect.objectContaining({ level: 'warn', fields: { options: 'nodeName' } }));
  });

  it('runs one after the other', async () => {
    const test = await start();
    test.nextConfig = createTestConfig({ services: [WEB] });
    const first = test.agent.lifecycle.reload();
    const second = test.agent.lifecycle.reload();
    test.nextConfig = createTestConfig({ services: [DB] });
    await Promise.all([first, second]);
    expect([...test.agent.services.list().keys()]).toEqual(['db']);
  });
});

describe('stopping', () => {
  it('leaves no timer behind', async () => {
    const test = await start();
    await test.agent.services.effective('web-sidecar-proxy', NO_TOKEN);
    await test.agent.stop();
    await test.settle();
    expect(test.clock.pendingTimers).toBe(0);
  });
});
