import { LictorError, silentLogger, silentMetrics } from '@lictor/protocol';
import { systemClock, systemRandom } from '@lictor/protocol/system';
import type { AgentCache, RuntimeConfig } from '../contracts/index.ts';
import type { ApiDeps } from '../http/deps.ts';
import { type HttpApi, startHttpApi } from '../http/server.ts';
import { createTestConfig } from './config.ts';
import { MemoryChecks, MemoryServices } from './local.ts';
import { FakeServerPort, kvHandlers } from './server-port.ts';

export interface TestApi {
  readonly api: HttpApi;
  readonly baseUrl: string;
  readonly port: number;
  readonly server: FakeServerPort;
  readonly services: MemoryServices;
  readonly checks: MemoryChecks;
  request(path: string, init?: RequestInit): Promise<Response>;
  close(): Promise<void>;
}

/** The real HTTP API on a free port over doubles of everything behind it. */
export async function startTestApi(overrides: Partial<ApiDeps> = {}, config: Partial<RuntimeConfig> = {}): Promise<TestApi> {
  const server = new FakeServerPort(kvHandlers());
  const services = new MemoryServices();
  const checks = new MemoryChecks();
  const deps: ApiDeps = { ...testDeps(createTestConfig(config), server), services, checks, ...overrides };
  const api = await startHttpApi(deps);
  const port = api.addresses[0]?.port ?? 0;
  const baseUrl = `http://127.0.0.1:${port}`;
  return {
    api,
    baseUrl,
    port,
    server,
    services,
    checks,
    request: (path, init) => fetch(`${baseUrl}${path}`, { redirect: 'manual', ...init }),
    close: () => api.close(0),
  };
}

export function testDeps(config: RuntimeConfig, server: FakeServerPort): ApiDeps {
  return {
    config: () => config,
    build: { version: '1.21.0', prerelease: '', revision: '', buildDate: '2026-01-01T00:00:00Z' },
    server,
    cache: uncached(server),
    services: new MemoryServices(),
    checks: new MemoryChecks(),
    membership: {
      members: () => [],
      coordinate: () => ({ Vec: [0, 0, 0, 0, 0, 0, 0, 0], Error: 1.5, Adjustment: 0, Height: 0.000_01 }),
      stats: () => ({}),
      forceLeave: (node) => Promise.reject(new LictorError('rejected', `agent: No node found with name '${node}'`)),
      join: () => Promise.reject(new LictorError('unavailable', 'cannot join')),
    },
    events: {
      fire: (event) => Promise.resolve({ ...event, ID: 'e', Version: 1, LTime: 1 }),
      list: () => [],
      index: () => 1n,
      waitForChange: () => Promise.resolve(),
    },
    lifecycle: { reload: () => Promise.resolve(), leave: () => Promise.resolve() },
    tokens: { get: (kind) => config.tokens[kind], set: () => Promise.resolve() },
    logs: { subscribe: () => () => undefined },
    metricsView: { json: () => ({}), prometheus: () => '', onInterval: () => () => undefined },
    metrics: silentMetrics,
    logger: silentLogger,
    clock: systemClock,
    random: systemRandom,
    stats: () => ({}),
    synced: () => Promise.resolve(),
  };
}

/** Asks the server each time. */
function uncached(server: FakeServerPort): AgentCache {
  return {
    entryCount: 0,
    get: async (type, request, { token, minIndex, signal }) => {
      if (type === 'ConnectCA.Leaf') throw new LictorError('internal', 'no leaves here');
      const query = minIndex === undefined ? {} : { query: { minIndex } };
      const reply = await server.call(type as 'Intention.Match', request as never, {
        token,
        ...query,
        ...(signal === undefined ? {} : { signal }),
      });
      return { value: reply.value as never, meta: reply.meta, hit: false, ageMs: 0 };
    },
  };
}
