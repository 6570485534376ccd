import type { HealthCheck, NodeService } from '@lictor/protocol';
import type { NodeMember, ServerPortNumbers } from '../cluster/directory.ts';
import { SERF_HEALTH_CHECK_ID } from '../fsm/catalog/nodes.ts';
import { NO_PROXY } from '../fsm/catalog/rows.ts';

export const CONSUL_SERVICE = 'consul';

/** Consul's words (consul-facts O-rows of serfHealth; observed). */
const OUTPUTS = { passing: 'Agent alive and reachable', critical: 'Agent not live or unreachable' } as const;

/** The check that the leader keeps on a member's node. */
export function serfHealth(node: string, status: keyof typeof OUTPUTS): HealthCheck {
  return {
    Node: node,
    CheckID: SERF_HEALTH_CHECK_ID,
    Name: 'Serf Health Status',
    Status: status,
    Notes: '',
    Output: OUTPUTS[status],
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

/** The instance that stands for a server. */
export function consulService({ version }: NodeMember, { rpcPort, grpcPort, grpcTlsPort }: ServerPortNumbers): NodeService {
  return {
    Kind: '',
    ID: CONSUL_SERVICE,
    Service: CONSUL_SERVICE,
    Tags: [],
    Address: '',
    TaggedAddresses: null,
    Meta: {
      ...(grpcPort > 0 ? { grpc_port: String(grpcPort) } : {}),
      ...(grpcTlsPort > 0 ? { grpc_tls_port: String(grpcTlsPort) } : {}),
      non_voter: 'false',
      raft_version: '3',
      read_replica: 'false',
      serf_protocol_current: '2',
      serf_protocol_max: '5',
      serf_protocol_min: '1',
      version,
    },
    Port: rpcPort,
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
