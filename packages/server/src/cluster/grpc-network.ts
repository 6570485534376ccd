import * as grpc from '@grpc/grpc-js';
import { type Clock, doneWithin, type Logger, type Metrics } from '@lictor/protocol';
import { GrpcTransport, type Transport } from '@lictor/raft';
import type { NetworkConfig, ServerConfig } from '../config.ts';
import type { RemoteCalls } from '../forward/forwarder.ts';
import {
  AGENT_CALLS,
  createPeerRpcService,
  ENROLL_CALLS,
  ENROLL_LIMITS,
  PeerRpcClient,
  type PeerRpcService,
  RpcListener,
  type RpcListenerOptions,
} from '../peer-rpc/index.ts';
import { loadRpcTlsFiles, RpcTls } from '../tls/index.ts';
import { type GreetingTransport, type ServerCandidates, ServerDiscovery } from './discovery.ts';
import { addGreetingService, GrpcGreetings } from './greeting-transport.ts';
import type { AgentAdmission, CallHandlers, ClusterNetwork, RouteTo } from './network.ts';
import { selfRecord } from './self.ts';
import { withLiveAddresses, withRoutes } from './transport.ts';

export interface NetworkPorts {
  readonly candidates: ServerCandidates;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** The address itself when absent. */
  readonly routeTo?: RouteTo | undefined;
}

/** How long calls that are being served may take to end when the server stops: first by themselves, then their connections. */
const DRAIN_MS = 2000;
const CLOSE_MS = 1000;

/** On one port: Raft, calls of servers and of agents, and greetings. */
export class GrpcNetwork implements ClusterNetwork {
  readonly discovery: ServerDiscovery;
  readonly remote: RemoteCalls;
  readonly admission?: AgentAdmission;
  readonly #nodeId: string;
  readonly #ports: NetworkPorts;
  readonly #routeTo: RouteTo;
  readonly #rpc: RpcListener;
  readonly #greetings: GrpcGreetings;
  readonly #client: PeerRpcClient;
  /** To other datacenters. */
  readonly #wide = new Map<string, PeerRpcClient>();
  readonly #network: NetworkConfig;
  readonly #tls: RpcTls | undefined;
  #services: readonly PeerRpcService[] = [];

  constructor(config: ServerConfig, network: NetworkConfig, ports: NetworkPorts) {
    this.#nodeId = config.nodeId;
    this.#ports = ports;
    this.#routeTo = ports.routeTo ?? ((address) => address);
    this.#network = network;
    this.#tls = network.tls === null ? undefined : new RpcTls(network.tls.options, loadRpcTlsFiles(network.tls.files, ports));
    if (this.#tls !== undefined) this.admission = this.#tls;
    const outgoing = this.#tls?.channelCredentials ?? grpc.credentials.createInsecure();
    this.#rpc = new RpcListener({ host: network.rpcHost, port: network.rpcPort, ...incomingOf(this.#tls), ...network.limits }, ports);
    this.#greetings = new GrpcGreetings(ports.clock, outgoing);
    this.#client = new PeerRpcClient({ credentials: () => outgoing }, ports);
    this.remote = this.#routed(this.#client);
    const greetings: GreetingTransport = { greet: (address, greeting) => this.#greetings.greet(this.#routeTo(address), greeting) };
    this.discovery = new ServerDiscovery(selfRecord(config, ports.clock), { ...ports, transport: greetings }, config.greetEveryMs);
    addGreetingService(this.#rpc.server, (greeting) => this.discovery.answer(greeting), this.#tls?.refusalOfServer);
  }

  readonly wide = (datacenter: string): RemoteCalls => {
    const known = this.#wide.get(datacenter);
    if (known !== undefined) return this.#routed(known);
    const credentials = this.#tls?.channelTo(datacenter) ?? grpc.credentials.createInsecure();
    const client = new PeerRpcClient({ calls: AGENT_CALLS, credentials: () => credentials }, this.#ports);
    this.#wide.set(datacenter, client);
    return this.#routed(client);
  };

  createTransport(clusterId: string): Transport {
    const tls = this.#tls;
    const secured = tls === undefined ? {} : { authorize: tls.refusalOfServer, clientCredentials: () => tls.channelCredentials };
    const transport = new GrpcTransport({ id: this.#nodeId, clusterId, server: this.#rpc.server, ...secured }, this.#ports);
    return withLiveAddresses(withRoutes(transport, this.#routeTo), this.discovery, clusterId);
  }

  serve({ ofServers, ofAgents, ofStrangers }: CallHandlers): void {
    const tls = this.#tls;
    const authorize = tls === undefined ? {} : { authorize: tls.refusalOfServer };
    // Whoever has come through the handshake may be an agent: what it may do is a matter of its token.
    const services = [
      createPeerRpcService(authorize, ofServers, this.#ports),
      createPeerRpcService({ calls: AGENT_CALLS, ...(tls !== undefined && { authorize: tls.refusalOfAgent }) }, ofAgents, this.#ports),
    ];
    for (const { definition, implementation } of services) this.#rpc.server.addService(definition, implementation);
    const enroll = createPeerRpcService({ calls: ENROLL_CALLS, limits: ENROLL_LIMITS }, ofStrangers, this.#ports);
    this.#rpc.enrollServer.addService(enroll.definition, enroll.implementation);
    this.#services = [...services, enroll];
  }

  async listen(): Promise<void> {
    await this.#rpc.start();
  }

  reloadTls(): void {
    if (this.#network.tls !== null) this.#tls?.replace(loadRpcTlsFiles(this.#network.tls.files, this.#ports));
  }

  async drain(): Promise<void> {
    await doneWithin(this.#ports.clock, DRAIN_MS, Promise.all(this.#services.map((service) => service.drain())));
  }

  async stop(): Promise<void> {
    this.discovery.stop();
    for (const service of this.#services) service.close();
    for (const client of [this.#client, ...this.#wide.values()]) client.close();
    this.#greetings.close();
    await this.#rpc.stop(CLOSE_MS);
  }

  #routed(calls: RemoteCalls): RemoteCalls {
    return { call: (address, ...call) => calls.call(this.#routeTo(address), ...call) };
  }
}

function incomingOf(tls: RpcTls | undefined): Partial<RpcListenerOptions> {
  if (tls === undefined) return {};
  return { credentials: tls.serverCredentials, enrollCredentials: tls.enrollCredentials, acceptsPlain: tls.acceptsPlain };
}
