import {
  type BuiltinCaDependencies,
  type CaProviderFactory,
  createCsr,
  generatePrivateKey,
  type PrivateKey,
  type SpiffeId,
  TrustBundle,
} from '@lictor/pki';
import { type CaConfigurationRequest, type CaRoot, silentMetrics } from '@lictor/protocol';
import { FakeClock, MemoryLogger, seededRandom } from '@lictor/protocol/testing';
import { connectCaCommands } from '../../fsm/commands/connect-ca.ts';
import { createTestStore, type TestStore } from '../../testing/store.ts';
import { ConnectCa } from '../manager.ts';
import type { ConnectCaConfig, ConnectCaPorts } from '../ports.ts';
import { createReplicatedCaStore } from '../replicated-store.ts';
import { readActiveRoot, readCaConfig, readCaRoots } from '../state.ts';

type Providers = ReadonlyMap<string, CaProviderFactory>;

export interface CaHarness extends TestStore {
  readonly clock: FakeClock;
  readonly logger: MemoryLogger;
  readonly gauges: Map<string, number>;
  readonly ports: ConnectCaPorts;
  /** Set to make proposals of a type fail. */
  readonly failing: Set<string>;
  /** What happens just before a proposal of a type. */
  readonly before: Map<string, () => void>;
  /** Another leader over the same state. */
  createCa(config?: Partial<ConnectCaConfig>, providers?: (dependencies: BuiltinCaDependencies) => Providers): ConnectCa;
  roots(): readonly CaRoot[];
  activeRoot(): CaRoot;
  trustDomain(): string;
  bundle(rootPem?: string): TrustBundle;
  serviceId(service: string): SpiffeId;
  csr(id: SpiffeId, key?: PrivateKey): Promise<string>;
}

/** A CA over a store without consensus: each proposal is one log entry, applied at once. */
export function createCaHarness(): CaHarness {
  const testStore = createTestStore(connectCaCommands);
  const clock = new FakeClock();
  const logger = new MemoryLogger();
  const gauges = new Map<string, number>();
  const failing = new Set<string>();
  const before = new Map<string, () => void>();
  const random = seededRandom(1);
  const ports: ConnectCaPorts = {
    clock,
    logger,
    random,
    metrics: { ...silentMetrics, setGauge: (name, value) => void gauges.set(name, value) },
    reader: () => testStore.reader(),
    propose: async (type, body) => {
      before.get(type)?.();
      if (failing.has(type)) throw new Error(`${type} fails by order of the test`);
      const result = testStore.apply<never>(type, body, clock.now());
      return { index: testStore.store.appliedIndex, result };
    },
  };
  const trustDomain = (): string => `${readCaConfig(testStore.reader())?.ClusterID}.consul`;
  const activeRoot = (): CaRoot => {
    const root = readActiveRoot(testStore.reader());
    if (root === undefined) throw new Error('no active root');
    return root;
  };
  return {
    ...testStore,
    clock,
    logger,
    gauges,
    ports,
    failing,
    before,
    createCa: (config = {}, providers) => {
      const dependencies = { ...ports, store: createReplicatedCaStore(ports) };
      return new ConnectCa({ datacenter: 'dc1', caConfig: null, ...config }, ports, providers?.(dependencies));
    },
    roots: () => readCaRoots(testStore.reader()),
    activeRoot,
    trustDomain,
    bundle: (rootPem = activeRoot().RootCert) => new TrustBundle([{ trustDomain: trustDomain(), rootPems: [rootPem] }]),
    serviceId: (service) => ({
      kind: 'service',
      trustDomain: trustDomain(),
      partition: 'default',
      namespace: 'default',
      datacenter: 'dc1',
      service,
    }),
    csr: async (id, key) => createCsr({ id, key: key ?? (await generatePrivateKey()) }),
  };
}

/** A body of PUT /v1/connect/ca/configuration. */
export function caRequest(config: Readonly<Record<string, unknown>>, more: Partial<CaConfigurationRequest> = {}): CaConfigurationRequest {
  return { Provider: 'consul', Config: config, State: {}, ForceWithoutCrossSigning: false, ...more };
}
