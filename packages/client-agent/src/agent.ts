import { isDeepStrictEqual } from 'node:util';
import type { Clock, Logger, Metrics, Random, ServerPort } from '@lictor/protocol';
import { type NodeInfo, Syncer } from './anti-entropy/index.ts';
import { Cache } from './cache/index.ts';
import { CheckManager, CriticalServiceReaper } from './checks/index.ts';
import type {
  AgentCache,
  AgentLifecycle,
  AgentPools,
  LocalChecks,
  LocalServices,
  Membership,
  RuntimeConfig,
  UserEvents,
} from './contracts/index.ts';
import { CoordinateSender } from './coordinates/index.ts';
import { AgentUserEvents } from './events/index.ts';
import { LeafManager } from './leaf/index.ts';
import { AgentTokenStore, checkDefinitions, Lifecycle } from './lifecycle/index.ts';
import { ConfigRegistrations, createFileStore, EffectiveServices, LocalState, memoryStore, ServiceRegistry } from './local/index.ts';
import { AgentMembership } from './membership/index.ts';

export interface AgentPorts {
  readonly server: ServerPort;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** `1.21.0`, as node meta and members show it. */
  readonly version: string;
  /** Rereads flags and files. @throws ConfigError */
  readonly loadConfig: () => RuntimeConfig;
  /** A reload took place: log level, listeners and the like follow. */
  readonly onReload?: (config: RuntimeConfig) => void | Promise<void>;
  /** Calls back when there are servers that were not there; returns the unsubscriber. */
  readonly onServersFound?: (listener: () => void) => () => void;
  /** Gossip; an agent by itself has none. */
  readonly pools?: AgentPools;
  /** The server beside this agent goes too, and says goodbye to the others. */
  readonly leaveCluster?: () => Promise<void>;
  /** The agent has left: the process should end. */
  readonly onLeave?: () => void;
}

/** One agent: what it registers, checks, caches and syncs. Its faces (HTTP, DNS) stand on these members. */
export interface Agent {
  readonly services: LocalServices;
  readonly checks: LocalChecks;
  readonly cache: AgentCache;
  readonly events: UserEvents;
  readonly membership: Membership;
  readonly lifecycle: AgentLifecycle;
  readonly tokens: AgentTokenStore;
  /** The configuration in force; changes at reload. */
  config(): RuntimeConfig;
  /** Resolves when what was registered until now is in the catalog, or could not be written there for now. */
  synced(): Promise<void>;
  /** Counters for /v1/agent/self and `info`. */
  stats(): { readonly check_monitors: string; readonly check_ttls: string; readonly checks: string; readonly services: string };
  /** Registers what files and the last run left, then begins to check and to sync. @throws LictorError for a definition that is refused */
  start(): Promise<void>;
  stop(): Promise<void>;
}

export function createAgent(initial: RuntimeConfig, ports: AgentPorts): Agent {
  const { server, clock, random, logger, metrics, pools = {} } = ports;
  let running = initial;
  const config = (): RuntimeConfig => running;
  const store = initial.dataDir === null ? memoryStore : createFileStore(initial.dataDir, logger);
  const state = new LocalState({
    clock,
    random,
    checkUpdateIntervalMs: () => running.checkUpdateIntervalMs,
    discardCheckOutput: () => running.discardCheckOutput,
  });
  const tokens = new AgentTokenStore(config, () => state.markDirty());
  const cache = new Cache({ server, clock, metrics });
  const unsubscribe = ports.onServersFound?.(() => cache.serversFound());
  if (initial.connect.enabled) {
    cache.serveLeaves(new LeafManager({ server, cache, clock, random, metrics, config, logger: logger.named('leaf-certs') }));
  }
  const checks = new CheckManager({ state, store, config, clock, random, logger, server, local: state });
  const effective = new EffectiveServices({ state, cache, clock, config });
  const services = new ServiceRegistry({ state, store, checks, effective, logger, config });
  const membership = new AgentMembership({
    config,
    clock,
    logger,
    buildTag: `${ports.version}:`,
    pools,
  });
  const events = new AgentUserEvents({
    pool: pools.lan,
    server,
    datacenter: initial.datacenter,
    clock,
    random,
    logger,
    nodeName: () => running.nodeName,
    services: () => state.liveServices.values(),
  });
  const registrations = new ConfigRegistrations({ services, checks, logger, token: () => tokens.forConfigFiles() });
  const reaper = new CriticalServiceReaper({ state, clock, logger, deregister: (id) => services.deregister(id) });
  const syncer = new Syncer({
    state,
    server,
    clock,
    random,
    metrics,
    logger,
    node: () => nodeInfo(running, ports.version),
    agentToken: () => tokens.forAgent(),
    defaultToken: () => tokens.get('default'),
    clusterSize: () => membership.members(false).length,
  });
  const coordinates = new CoordinateSender({
    server,
    clock,
    random,
    logger,
    nodeName: () => running.nodeName,
    token: () => tokens.forAgent(),
    coordinate: () => membership.coordinate(),
    clusterSize: () => membership.members(false).length,
  });
  const lifecycle = new Lifecycle({
    logger,
    running: config,
    load: ports.loadConfig,
    apply: async (next) => {
      if (!isDeepStrictEqual({ ...next.nodeMeta }, { ...running.nodeMeta })) state.isNodeInSync = false;
      running = next;
      await registrations.apply(next);
      state.markDirty();
      await ports.onReload?.(next);
    },
    leave: async () => {
      logger.info('agent is leaving');
      await ports.leaveCluster?.();
      ports.onLeave?.();
    },
  });
  return {
    services,
    checks,
    cache,
    events,
    membership,
    lifecycle,
    tokens,
    config,
    synced: () => syncer.settled(),
    stats: () => {
      const { monitors, ttls } = checks.countRunners();
      return {
        check_monitors: String(monitors),
        check_ttls: String(ttls),
        checks: String(state.liveChecks.size),
        services: String(state.liveServices.size),
      };
    },
    start: async () => {
      checkDefinitions(running);
      await registrations.apply(running);
      services.restore();
      checks.restore();
      reaper.start();
      syncer.start();
      // One by itself is nowhere: there is nobody to be far from.
      if (initial.gossip.hasCoordinates && pools.lan !== undefined) coordinates.start();
    },
    stop: async () => {
      coordinates.stop();
      syncer.stop();
      reaper.stop();
      checks.stop();
      unsubscribe?.();
      cache.stop();
      await store.settled();
    },
  };
}

/** What the agent writes to its own row; the two reserved keys are Consul's. */
function nodeInfo(config: RuntimeConfig, version: string): NodeInfo {
  return {
    id: config.nodeId,
    name: config.nodeName,
    address: config.advertiseAddress,
    datacenter: config.datacenter,
    taggedAddresses: config.taggedAddresses,
    meta: { ...config.nodeMeta, 'consul-network-segment': '', 'consul-version': version },
  };
}
