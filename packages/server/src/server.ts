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
} from '@lictor/protocol';
import { createEnrollment, followMeshRoots } from './auto-encrypt/index.ts';
import { type Autopilot, createAutopilot } from './autopilot/index.ts';
import type { NodeDirectory, ServerDirectory } from './cluster/directory.ts';
import type { ServerCandidates } from './cluster/discovery.ts';
import { DatacenterCalls, type DatacenterDirectory, loneDatacenter } from './datacenters/index.ts';
import { ClusterFormation } from './cluster/formation.ts';
import { GrpcNetwork } from './cluster/grpc-network.ts';
import { handOverInTime, leaveCluster } from './cluster/leave.ts';
import { loneDirectory } from './cluster/lone.ts';
import type { ClusterLog } from './cluster/member-table.ts';
import type { AgentAdmission, ClusterNetwork, RouteTo, ServedCall } from './cluster/network.ts';
import { selfRecord } from './cluster/self.ts';
import { nodesOfServers } from './cluster/nodes-of-servers.ts';
import { noTransport } from './cluster/transport.ts';
import type { ServerConfig } from './config.ts';
import { ConnectCa } from './connect-ca/index.ts';
import { type Consensus, diskStorage, memoryStorage, RaftConsensus, type RaftStorage } from './consensus/index.ts';
import { Forwarder, type RemoteCalls } from './forward/forwarder.ts';
import { COMMAND_HANDLERS } from './fsm/commands/index.ts';
import { Fsm } from './fsm/fsm.ts';
import { createDutyPorts, createLeader, type Leader } from './leader/index.ts';
import { noLeader } from './no-leader.ts';
import { LastSeen } from './recovery/last-seen.ts';
import { Dispatcher } from './rpc/dispatcher.ts';
import type { FireEvent } from './rpc/endpoints/event.ts';
import { createEndpoints } from './rpc/endpoints/index.ts';
import { type GossipKeyrings, loneKeyrings } from './rpc/endpoints/operator-keyring.ts';
import { StateStore } from './state/store.ts';
import { UsageReporter } from './usage/index.ts';

export interface ServerPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** `dataDir` when absent, or memory without one. */
  readonly storage?: RaftStorage;
  /** Stands between the server and its storage: for tests whose disk fails. */
  readonly wrapStorage?: (storage: RaftStorage) => RaftStorage;
  /** gRPC on the configured ports when absent. */
  readonly network?: ClusterNetwork;
  /** Where to connect to reach another server's address: that address when absent. */
  readonly routeTo?: RouteTo;
  /** Where the other servers may be. */
  readonly candidates?: ServerCandidates;
  /** Everybody whom gossip knows; the servers alone when absent. */
  readonly nodes?: NodeDirectory;
  /** The servers of all datacenters; this one alone when absent. */
  readonly datacenters?: DatacenterDirectory;
  /** The keys of the gossip pools; without gossip when absent. */
  readonly keyrings?: GossipKeyrings;
  /** Tells the agents of this datacenter; there is nobody to tell when absent. */
  readonly fireEvent?: FireEvent;
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
  /** Reads the certificates of TLS between servers again. @throws LictorError, and everything stays as it was */
  reloadTls(): void;
  /** Goes for good: leadership is handed over, and the others take this server out of the cluster. */
  leave(): Promise<void>;
  stop(): Promise<void>;
}

const NO_CANDIDATES: ServerCandidates = { addresses: () => [], onChange: () => () => undefined };
const NOBODY: RemoteCalls = { call: () => Promise.reject(noLeader()) };

/** Other datacenters, and the way to them. */
interface Wan {
  readonly directory: DatacenterDirectory;
  readonly callsTo: (datacenter: string) => RemoteCalls;
}

/** What the parts of one server share. */
interface Common {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly config: ServerConfig;
  readonly store: StateStore;
  readonly directory: ServerDirectory;
  readonly nodes: NodeDirectory;
  readonly remote: RemoteCalls;
  readonly wan: Wan;
  readonly keyrings: GossipKeyrings;
  readonly fireEvent: FireEvent | undefined;
  /** Undefined: there is no TLS. */
  readonly admission: AgentAdmission | undefined;
}

/** One server: its state, its log, its endpoints, its ways to the others and, while it leads, the leader's duties. */
export function createServer(
  config: ServerConfig,
  {
    storage: givenStorage,
    wrapStorage = (storage) => storage,
    network: given,
    routeTo,
    candidates = NO_CANDIDATES,
    nodes: members,
    datacenters,
    keyrings = loneKeyrings(config.nodeName, config.datacenter),
    fireEvent,
    resolveToken,
    ...rest
  }: ServerPorts,
): Server {
  const ports = { ...rest, logger: rest.logger.named('server') };
  const network = given ?? (config.network === null ? null : new GrpcNetwork(config, config.network, { ...ports, candidates, routeTo }));
  const directory = network?.discovery ?? loneDirectory(selfRecord(config, ports.clock));
  const store = new StateStore();
  const nodes = members ?? nodesOfServers(directory);
  const wan: Wan = {
    directory: datacenters ?? loneDatacenter(config.datacenter, config.nodeName, config.rpcAddress),
    callsTo: (datacenter) => network?.wide(datacenter) ?? NOBODY,
  };
  const common: Common = {
    ...ports,
    config,
    store,
    directory,
    nodes,
    remote: network?.remote ?? NOBODY,
    wan,
    keyrings,
    fireEvent,
    admission: network?.admission,
  };
  const storage = wrapStorage(givenStorage ?? createStorage(config, ports.logger));
  const consensus = createLog(common, network, storage);
  const duties = createDuties(common, consensus, rest.logger.named('connect.ca'));
  const { dispatcher, forwarder } = createCalls(common, consensus, duties, resolveToken ?? (() => allowAll));
  network?.serve({
    ofServers: servedBy(dispatcher),
    ofAgents: servedBy(forwarder),
    ofStrangers: createEnrollment(
      { datacenter: config.datacenter, isAllowed: config.autoEncryptAllowTls },
      { ...ports, server: forwarder },
    ),
  });
  const formation =
    network === null
      ? null
      : new ClusterFormation(config.nodeId, { ...ports, discovery: network.discovery, log: consensus }, config.greetEveryMs / 2);
  const usage = new UsageReporter({ ...ports, store, consensus });
  const lastSeen = storage.dataDir === undefined ? null : new LastSeen(config.rejoinAgeMaxMs, { ...ports, files: storage.dataDir });
  const { leader, autopilot } = duties;
  let endTrust = (): void => undefined;
  return {
    port: forwarder,
    direct: dispatcher,
    consensus,
    store,
    directory,
    start: async () => {
      await lastSeen?.check();
      await consensus.start();
      lastSeen?.start();
      // Nobody must hear of a server without a cluster that has one.
      network?.discovery.setCluster(consensus.clusterId);
      network?.discovery.useLog(clusterLog(consensus));
      if (config.autoEncryptAllowTls && network?.admission !== undefined) {
        endTrust = followMeshRoots(config.datacenter, { ...ports, store, admission: network.admission });
      }
      await network?.listen();
      network?.discovery.start();
      formation?.start();
      autopilot.watch();
      usage.start();
      await leader.established();
    },
    reloadTls: () => network?.reloadTls(),
    leave: async () => {
      if (network !== null) await leaveCluster(config, { ...ports, consensus, discovery: network.discovery });
    },
    stop: async () => {
      dispatcher.close(new LictorError('unavailable', 'server is shutting down'));
      await network?.drain();
      await handOverInTime({ ...ports, consensus });
      endTrust();
      formation?.stop();
      autopilot.close();
      usage.stop();
      leader.stop();
      await consensus.stop();
      await lastSeen?.stop();
      await network?.stop();
    },
  };
}

/** What comes over the network is of any shape: the endpoints look at it. */
function servedBy(port: ServerPort): ServedCall {
  return ({ method, request, options }) => port.call(method as never, request as never, options);
}

function clusterLog(consensus: RaftConsensus): ClusterLog {
  const { participants } = consensus;
  return {
    isPeer: (id) => consensus.configuration().Servers.some((server) => server.ID === id),
    hasTakenPart: (id) => participants.has(id),
    noteTakingPart: (id, takesPart) => participants.note(id, takesPart),
  };
}

function createStorage({ dataDir }: ServerConfig, logger: Logger): RaftStorage {
  return dataDir === null ? memoryStorage() : diskStorage(dataDir, logger.named('raft'));
}

function createLog(common: Common, network: ClusterNetwork | null, storage: RaftStorage): RaftConsensus {
  const { config, store, directory, clock, random, metrics } = common;
  const logger = common.logger.named('raft');
  const fsm = new Fsm(store, COMMAND_HANDLERS, { clock, metrics, logger: common.logger.named('fsm') });
  return new RaftConsensus(config, fsm, {
    clock,
    random,
    metrics,
    logger,
    storage,
    createTransport: (clusterId) => network?.createTransport(clusterId) ?? noTransport,
    nameOf: (id) => directory.members().find((member) => member.id === id)?.name ?? (id === config.nodeId ? config.nodeName : id),
  });
}

interface Duties {
  readonly leader: Leader;
  readonly autopilot: Autopilot;
  /** Null: connect is off. */
  readonly connectCa: ConnectCa | null;
}

/** What a server does while it leads. */
function createDuties({ config, remote, ...ports }: Common, consensus: Consensus, caLogger: Logger): Duties {
  const leaderPorts = { ...ports, logger: ports.logger.named('leader'), consensus };
  const dutyPorts = createDutyPorts(leaderPorts);
  const connectCa = config.connectEnabled ? new ConnectCa(config, { ...dutyPorts, random: ports.random, logger: caLogger }) : null;
  const autopilot = createAutopilot(
    { nodeId: config.nodeId, initial: config.autopilot, heartbeatMs: config.raftTiming.heartbeatMs },
    {
      ...dutyPorts,
      logger: ports.logger.named('autopilot'),
      consensus,
      directory: ports.directory,
      fetchStats: async ({ id, rpcAddress }, signal) => {
        const { value } = (await remote.call(rpcAddress, 'Status.RaftStats', {}, { signal })) as RpcReply<'Status.RaftStats'>;
        // Whoever is there instead of a member does not speak for it.
        if (value.term === 0 || value.id !== id) throw new LictorError('unavailable', 'another server answers there, or one without a log');
        return value;
      },
    },
  );
  const leader = createLeader(config, leaderPorts, connectCa === null ? [autopilot] : [autopilot, connectCa]);
  return { leader, autopilot, connectCa };
}

interface Calls {
  /** Answers here or not at all. */
  readonly dispatcher: Dispatcher;
  /** Answers here, or asks the leader. */
  readonly forwarder: Forwarder;
}

function createCalls(
  { config, remote, wan, keyrings, fireEvent, admission, ...ports }: Common,
  consensus: Consensus,
  { leader, autopilot, connectCa }: Duties,
  resolveToken: (token: Secret) => Authorizer,
): Calls {
  const { datacenter, nodeId, rpcHoldMs: holdMs, defaultQueryTimeMs: defaultWaitMs, maxQueryTimeMs: maxWaitMs } = config;
  const { sessionTtlMinMs, defaultIntentionPolicy } = config;
  const logger = ports.logger.named('rpc');
  const patience = { holdMs, defaultWaitMs, maxWaitMs };
  const datacenters = new DatacenterCalls(patience, {
    ...ports,
    directory: wan.directory,
    call: (server, method, request, options) => wan.callsTo(server.datacenter).call(server.address, method, request, options),
  });
  const endpoints = createEndpoints({
    datacenters: wan.directory,
    remoteDatacenters: datacenters,
    resolveToken,
    keyrings,
    fireEvent,
    sessionTimers: leader.sessionTtl,
    sessionTtlMinMs,
    coordinates: leader.coordinates,
    defaultIntentionPolicy,
    connectCa,
    autoEncrypt: {
      isAllowed: config.autoEncryptAllowTls,
      manualCaPems: () => admission?.caPems ?? [],
      verifiesServerHostname: admission?.verifiesServerHostname ?? false,
    },
    autopilot,
    store: ports.store,
    consensus,
    reassertLeadership: () => leader.reassert(),
  });
  const dispatcher = new Dispatcher({ datacenter, defaultWaitMs, maxWaitMs }, endpoints, { ...ports, logger, consensus, resolveToken });
  const forwarder = new Forwarder(
    { datacenter, nodeId, ...patience },
    { ...ports, logger, consensus, local: dispatcher, remote, datacenters, kindOf: (method) => dispatcher.kindOf(method) },
  );
  return { dispatcher, forwarder };
}
