import { decode, type HealthCheck, type NodeService, type ServiceDefinition, serviceDefinition, silentMetrics } from '@lictor/protocol';
import { FakeClock, MemoryLogger, seededRandom } from '@lictor/protocol/testing';
import { type Agent, createAgent } from '../../agent.ts';
import type { RuntimeConfig } from '../../contracts/index.ts';
import { createTestConfig } from '../../testing/config.ts';
import { type FakeHandlers, FakeServerPort, readReply, writeReply } from '../../testing/server-port.ts';

/** A catalog of one node, as far as anti-entropy and central configuration go. */
export class FakeCatalog {
  node: { ID: string; Address: string; TaggedAddresses: Record<string, string> | null; Meta: Record<string, string> | null } | null = null;
  readonly services = new Map<string, NodeService>();
  readonly checks = new Map<string, HealthCheck>();
  /** Set to make every write and read fail. */
  failure: Error | undefined;
  resolved: Record<string, unknown> = {};
  resolvedIndex = 5;
  readonly #waiting = new Set<() => void>();

  readonly handlers: FakeHandlers = {
    'Catalog.Register': (request) => {
      this.#mayFail();
      if (!request.SkipNodeUpdate || this.node === null) {
        this.node = { ID: request.ID, Address: request.Address, TaggedAddresses: request.TaggedAddresses, Meta: request.NodeMeta };
      }
      if (request.Service !== undefined) {
        // A row of the real catalog names its node.
        const row = { ...structuredClone(request.Service), Node: request.Node };
        this.services.set(request.Service.ID, row as NodeService);
      }
      for (const check of request.Checks) this.checks.set(check.CheckID, structuredClone({ ...check, Definition: {} }) as HealthCheck);
      return writeReply(undefined);
    },
    'Catalog.Deregister': (request) => {
      this.#mayFail();
      if (request.ServiceID !== '') {
        this.services.delete(request.ServiceID);
        for (const [id, check] of this.checks) if (check.ServiceID === request.ServiceID) this.checks.delete(id);
      }
      if (request.CheckID !== '') this.checks.delete(request.CheckID);
      return writeReply(undefined);
    },
    'Catalog.NodeServices': () => {
      this.#mayFail();
      if (this.node === null) return readReply(null);
      const Node = { ...this.node, Node: 'test', Datacenter: 'dc1', CreateIndex: 1, ModifyIndex: 1 };
      return readReply({ Node, Services: Object.fromEntries(this.services) });
    },
    'Health.NodeChecks': () => {
      this.#mayFail();
      return readReply([...this.checks.values()]);
    },
    'ConfigEntry.ResolveServiceConfig': async (_request, { query, signal }) => {
      while ((query?.minIndex ?? 0) >= this.resolvedIndex) {
        await new Promise<void>((resolve, reject) => {
          this.#waiting.add(resolve);
          signal?.addEventListener('abort', () => reject(new Error('gone')), { once: true });
        });
      }
      const none = { proxyConfig: this.resolved, upstreamConfigs: {}, meshGateway: { Mode: '' }, expose: { Checks: false, Paths: [] } };
      const rest = { mode: '', transparentProxy: { OutboundListenerPort: 0, DialedDirectly: false }, mutualTlsMode: '' };
      return readReply({ ...none, ...rest }, { index: this.resolvedIndex });
    },
  };

  setCentralConfig(config: Record<string, unknown>): void {
    this.resolved = config;
    this.resolvedIndex += 1;
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }

  #mayFail(): void {
    if (this.failure !== undefined) throw this.failure;
  }
}

export interface TestAgent {
  readonly agent: Agent;
  readonly clock: FakeClock;
  readonly catalog: FakeCatalog;
  readonly server: FakeServerPort;
  readonly logger: MemoryLogger;
  /** What the next reload loads. */
  nextConfig: RuntimeConfig | Error;
  /** Lets what is under way finish, with the clock standing still. */
  settle(): Promise<void>;
}

/** A real agent over a catalog in memory and a clock that stands still. */
export function createTestAgent(config: Partial<RuntimeConfig> = {}, catalog = new FakeCatalog()): TestAgent {
  const clock = new FakeClock();
  const logger = new MemoryLogger('agent');
  const server = new FakeServerPort(catalog.handlers);
  const initial = createTestConfig(config);
  const test: TestAgent = {
    clock,
    catalog,
    server,
    logger,
    nextConfig: initial,
    settle: async () => {
      for (let turn = 0; turn < 5; turn++) await clock.advance(0);
    },
    agent: createAgent(initial, {
      server,
      clock,
      random: seededRandom(5),
      logger,
      metrics: silentMetrics,
      version: '1.21.0',
      loadConfig: () => {
        if (test.nextConfig instanceof Error) throw test.nextConfig;
        return test.nextConfig;
      },
    }),
  };
  return test;
}

/** A service as a file or the API would define it. */
export function serviceOf(fields: Readonly<Record<string, unknown>>): ServiceDefinition {
  return decode(serviceDefinition, fields, { unknownKeys: 'error', weak: true });
}
