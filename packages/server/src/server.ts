import { allowAll, type Authorizer } from '@lictor/mesh';
import {
  type Clock,
  LictorError,
  type Logger,
  type Metrics,
  type Random,
  type RpcReply,
  type Secret,
  type ServerPort,
  type Timer,
} from '@lictor/protocol';
import { createAutopilot } from './autopilot/index.ts';
import type { ServerDirectory } from './cluster/directory.ts';
import { ClusterFormation } from './cluster/formation.ts';
import { loneDirectory } from './cluster/lone.ts';
import { GrpcNetwork } from './cluster/grpc-network.ts';
import type { ClusterNetwork } from './cluster/network.ts';
import { selfRecord } from './cluster/self.ts';
import { noTransport } from './cluster/transport.ts';
import type { ServerConfig } from './config.ts';
import { ConnectCa } from './connect-ca/index.ts';
import { type Consensus, diskStorage, memoryStorage, RaftConsensus, type RaftStorage } from './consensus/index.ts';
import { Forwarder, type RemoteCalls } from './forward/forwarder.ts';
import { COMMAND_HANDLERS } from './fsm/commands/index.ts';
import { Fsm } from './fsm/fsm.ts';
import { createDutyPorts, createLeader } from './leader/index.ts';
import { Dispatcher } from './rpc/dispatcher.ts';
import { createEndpoints } from './rpc/endpoints/index.ts';
import { StateStore } from './state/store.ts';
import { UsageReporter } from './usage/index.ts';

export interface ServerPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** `dataDir` when absent, or memory without one. */
  readonly storage?: RaftStorage;
  /** gRPC on the configured ports when absent. */
  readonly network?: ClusterNetwork;
  /** Allows everything when absent. */
  readonly resolveToken?: (token: Secret) => Authorizer;
}

export interface Server {
  /** For this node's agent: answers here, or asks the leader. */
  readonly port: ServerPort;
  /** What other servers ask: answered here or not at all. */
  readonly direct: ServerPort;
  readonly consensus: Consensus;
  readonly store: StateStore;
  readonly directory: ServerDirectory;
  /** Resolves when this server answers; one that is its cluster's only server leads by then. @throws LictorError */
  start(): Promise<void>;
  /** Says hello to the server at a join address, `ip:port`. @throws LictorError */
  join(address: string): Promise<void>;
  /** Reads the certificates of TLS between servers again. @throws LictorError, and everything stays as it was */
  reloadTls(): void;
  /** Goes for good: leadership is handed over, and the others take this server out of the cluster. */
  leave(): Promise<void>;
  stop(): Promise<void>;
}

/** How long a server that leaves waits to be taken out (consul-facts T014). */
const REMOVAL_GRACE_MS = 5000;
const NOBODY: RemoteCalls = { call: () => Promise.reject(new LictorError('no-leader', 'No cluster leader')) };

/** One server: its state, its log, its endpoints, its ways to the others and, while it leads, the leader's duties. */
export function createServer(config: ServerConfig, ports: ServerPorts): Server {
  const { clock, random, metrics } = ports;
  const logger = ports.logger.named('server');
  const store = new StateStore();
  const fsm = new Fsm(store, COMMAND_HANDLERS, { ...ports, logger: logger.named('fsm') });
  const network = ports.network ?? (config.network === null ? null : new GrpcNetwork(config, config.network, { clock, metrics, logger }));
  const directory = network?.discovery ?? loneDirectory(selfRecord(config, clock));
  const raftLogger = logger.named('raft');
  const consensus = new RaftConsensus(config, fsm, {
    clock,
    random,
    metrics,
    logger: raftLogger,
    storage: ports.storage ?? (config.dataDir === null ? memoryStorage() : diskStorage(config.dataDir, raftLogger)),
    createTransport: (clusterId) => network?.createTransport(clusterId) ?? noTransport,
    nameOf: (id) => directory.members().find((member) => member.id === id)?.name ?? (id === config.nodeId ? config.nodeName : id),
  });
  const leaderPorts = { ...ports, logger: logger.named('leader'), store, consensus, directory };
  const caPorts = { ...createDutyPorts(leaderPorts), random, logger: ports.logger.named('connect.ca') };
  const connectCa = config.connectEnabled ? new ConnectCa(config, caPorts) : null;
  const remote = network?.remote ?? NOBODY;
  const autopilot = createAutopilot(
    { nodeId: config.nodeId, initial: config.autopilot, heartbeatMs: config.raftTiming.heartbeatMs },
    {
      ...createDutyPorts(leaderPorts),
      logger: logger.named('autopilot'),
      consensus,
      directory,
      fetchStats: async ({ id, rpcAddress }, signal) => {
        const { value } = (await remote.call(rpcAddress, 'Status.RaftStats', {}, { signal })) as RpcReply<'Status.RaftStats'>;
        // Whoever is there instead of a member does not speak for it.
        if (value.term === 0 || value.id !== id) throw new LictorError('unavailable', 'another server answers there, or one without a log');
        return value;
      },
    },
  );
  const leader = createLeader(config, leaderPorts, connectCa === null ? [autopilot] : [autopilot, connectCa]);
  const endpoints = createEndpoints({
    serverName: config.nodeName,
    sessionTimers: leader.sessionTtl,
    sessionTtlMinMs: config.sessionTtlMinMs,
    coordinates: leader.coordinates,
    defaultIntentionPolicy: config.defaultIntentionPolicy,
    connectCa,
    autopilot,
    store,
    consensus,
    reassertLeadership: () => leader.reassert(),
  });
  const rpcLogger = logger.named('rpc');
  const waits = { defaultWaitMs: config.defaultQueryTimeMs, maxWaitMs: config.maxQueryTimeMs };
  const dispatcher = new Dispatcher({ datacenter: config.datacenter, ...waits }, endpoints, {
    ...ports,
    logger: rpcLogger,
    store,
    consensus,
    resolveToken: ports.resolveToken ?? (() => allowAll),
  });
  network?.serve(({ method, request, options }) => dispatcher.call(method as never, request as never, options));
  const forwarder = new Forwarder(
    { datacenter: config.datacenter, nodeId: config.nodeId, holdMs: config.rpcHoldMs, ...waits },
    {
      clock,
      random,
      metrics,
      logger: rpcLogger,
      consensus,
      local: dispatcher,
      remote,
      kindOf: (method) => dispatcher.kindOf(method),
    },
  );
  const formation =
    network === null ? null : new ClusterFormation(config.nodeId, { clock, random, logger, discovery: network.discovery, log: consensus });
  const usage = new UsageReporter({ ...ports, store, consensus });
  return {
    port: forwarder,
    direct: dispatcher,
    consensus,
    store,
    directory,
    start: async () => {
      await consensus.start();
      // Nobody must hear of a server without a cluster that has one.
      network?.discovery.setCluster(consensus.clusterId);
      network?.discovery.usePeers((id) => consensus.configuration().Servers.some((server) => server.ID === id));
      await network?.listen();
      network?.discovery.start();
      formation?.start();
      autopilot.watch();
      usage.start();
      await leader.established();
    },
    join: async (address) => {
      if (network === null) throw new LictorError('rejected', 'this server runs by itself and cannot join others');
      await network.discovery.join(address);
    },
    reloadTls: () => network?.reloadTls(),
    leave: async () => {
      if (network === null) return;
      await handOver(consensus, logger);
      await network.discovery.leave();
      await untilRemoved(config.nodeId, consensus, clock);
    },
    stop: async () => {
      dispatcher.close(new LictorError('unavailable', 'server is shutting down'));
      formation?.stop();
      autopilot.close();
      usage.stop();
      leader.stop();
      await consensus.stop();
      await network?.stop();
    },
  };
}

/** The cluster should not have to notice by itself that its leader is gone. */
async function handOver(consensus: Consensus, logger: Logger): Promise<void> {
  const isOnlyVoter = consensus.configuration().Servers.filter((server) => server.Voter).length < 2;
  if (!consensus.isLeader || isOnlyVoter) return;
  try {
    await consensus.transferLeadership();
  } catch (error) {
    logger.warn('leadership could not be handed over', { error });
  }
}

/** Or until the others have had time enough. */
function untilRemoved(id: string, consensus: Consensus, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    const deadlineMs = clock.monotonic() + REMOVAL_GRACE_MS;
    const look = (): Timer | undefined => {
      const servers = consensus.configuration().Servers;
      const isIn = servers.length > 1 && servers.some((server) => server.ID === id);
      if (isIn && clock.monotonic() < deadlineMs) return clock.setTimer(100, look);
      resolve();
      return undefined;
    };
    look();
  });
}
