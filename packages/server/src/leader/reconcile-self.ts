import type { Clock, HealthCheck, Logger, NodeService, Timer } from '@lictor/protocol';
import { SERF_HEALTH_CHECK_ID } from '../fsm/catalog/nodes.ts';
import { NO_PROXY } from '../fsm/catalog/rows.ts';
import { sameValue } from '../fsm/catalog/same-content.ts';
import { CATALOG_REGISTER, type RegisterBody } from '../fsm/commands/catalog.ts';
import { checkKey, checksTable } from '../state/tables/checks.ts';
import { nodeKey, nodesTable } from '../state/tables/nodes.ts';
import { serviceKey, servicesTable } from '../state/tables/services.ts';
import type { StateReader } from '../state/types.ts';

/** Consul's reconcile interval. */
const PERIOD_MS = 60_000;
const RETRY_MS = 1000;
const CONSUL_SERVICE = 'consul';

export interface SelfMember {
  readonly nodeName: string;
  readonly nodeId: string;
  readonly datacenter: string;
  /** Without a port. */
  readonly address: string;
  readonly rpcPort: number;
  /** The version that this node reports: `1.21.0`. */
  readonly version: string;
  /** 0 when off. */
  readonly grpcPort: number;
  readonly grpcTlsPort: number;
}

export interface ReconcilePorts {
  readonly clock: Clock;
  readonly logger: Logger;
  reader(): StateReader;
  propose(type: string, body: unknown): Promise<unknown>;
}

/**
 * Keeps the leader's own node in the catalog with the `consul` service and a passing `serfHealth` check. The node's metadata and
 * tagged addresses are its agent's: they are left as they are.
 */
export class SelfReconciler {
  readonly #member: SelfMember;
  readonly #ports: ReconcilePorts;
  #timer: Timer | undefined;
  #isRunning = false;

  constructor(member: SelfMember, ports: ReconcilePorts) {
    this.#member = member;
    this.#ports = ports;
  }

  /** Resolves after the first attempt. */
  async start(): Promise<void> {
    if (this.#isRunning) return;
    this.#isRunning = true;
    await this.#round();
  }

  stop(): void {
    this.#isRunning = false;
    this.#timer?.cancel();
  }

  async #round(): Promise<void> {
    let nextMs = PERIOD_MS;
    try {
      const body = missingRegistration(this.#ports.reader(), this.#member);
      if (body !== undefined) await this.#ports.propose(CATALOG_REGISTER, body);
    } catch (error) {
      nextMs = RETRY_MS;
      this.#ports.logger.error('failed to reconcile member', { member: this.#member.nodeName, error });
    }
    if (!this.#isRunning) return;
    // A round that a stop and a start have overtaken must not leave a second loop behind.
    this.#timer?.cancel();
    this.#timer = this.#ports.clock.setTimer(nextMs, () => void this.#round());
  }
}

/** What has to be registered, or undefined when the catalog has it all. */
export function missingRegistration(reader: StateReader, member: SelfMember): RegisterBody | undefined {
  const node = reader.get(nodesTable, nodeKey(member.nodeName));
  const service = reader.get(servicesTable, serviceKey(member.nodeName, CONSUL_SERVICE));
  const check = reader.get(checksTable, checkKey(member.nodeName, SERF_HEALTH_CHECK_ID));
  const wanted = consulService(member);
  const isComplete =
    node?.Address === member.address &&
    node.ID === member.nodeId &&
    check?.Status === 'passing' &&
    service?.Port === wanted.Port &&
    sameValue(service.Meta, wanted.Meta);
  if (isComplete) return undefined;
  return {
    node: {
      ID: member.nodeId,
      Node: member.nodeName,
      Address: member.address,
      Datacenter: member.datacenter,
      TaggedAddresses: node?.TaggedAddresses ?? null,
      Meta: node === undefined ? { 'consul-version': member.version } : node.Meta,
    },
    skipNodeUpdate: false,
    service: wanted,
    checks: [serfHealth(member)],
  };
}

function consulService(member: SelfMember): NodeService {
  return {
    Kind: '',
    ID: CONSUL_SERVICE,
    Service: CONSUL_SERVICE,
    Tags: [],
    Address: '',
    TaggedAddresses: null,
    Meta: {
      ...(member.grpcPort > 0 ? { grpc_port: String(member.grpcPort) } : {}),
      ...(member.grpcTlsPort > 0 ? { grpc_tls_port: String(member.grpcTlsPort) } : {}),
      non_voter: 'false',
      raft_version: '3',
      read_replica: 'false',
      serf_protocol_current: '2',
      serf_protocol_max: '5',
      serf_protocol_min: '1',
      version: member.version,
    },
    Port: member.rpcPort,
    SocketPath: '',
    Weights: { Passing: 1, Warning: 1 },
    EnableTagOverride: false,
    Proxy: NO_PROXY,
    Connect: { Native: false },
    PeerName: '',
    CreateIndex: 0,
    ModifyIndex: 0,
  };
}

function serfHealth(member: SelfMember): HealthCheck {
  return {
    Node: member.nodeName,
    CheckID: SERF_HEALTH_CHECK_ID,
    Name: 'Serf Health Status',
    Status: 'passing',
    Notes: '',
    Output: 'Agent alive and reachable',
    ServiceID: '',
    ServiceName: '',
    ServiceTags: [],
    Type: '',
    Interval: '',
    Timeout: '',
    ExposedPort: 0,
    Definition: {},
    PeerName: '',
    CreateIndex: 0,
    ModifyIndex: 0,
  };
}
