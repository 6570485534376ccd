import { loadConfig, NOTHING_REQUESTED, systemLoadEnvironment } from '../config/index.ts';
import type { RuntimeConfig } from '../contracts/index.ts';

/** The real defaults of -dev on loopback and free ports, with a test's own changes. */
export function createTestConfig(overrides: Partial<RuntimeConfig> = {}): RuntimeConfig {
  const loaded = loadConfig({ ...NOTHING_REQUESTED, isDevMode: true }, systemLoadEnvironment);
  const loopback = { host: '127.0.0.1', port: 0 };
  return {
    ...loaded,
    nodeName: 'test',
    nodeId: 'b7954a44-6b47-d167-ce15-bd81dcdc2d54',
    httpListen: [loopback],
    httpsListen: [],
    dnsListen: [loopback],
    ...overrides,
  };
}
