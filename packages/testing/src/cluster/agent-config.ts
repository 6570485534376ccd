/** Where an agent listens, on 127.0.0.1. */
export interface AgentPorts {
  readonly http: number;
  readonly server: number;
  readonly serf: number;
}

export interface AgentPlan {
  readonly name: string;
  readonly dataDir: string;
  readonly ports: AgentPorts;
  /** Servers that form the cluster together; 0: a client. */
  readonly expect: number;
  /** Ports of gossip to join. */
  readonly joins: readonly number[];
}

/** Gossip for one machine: a member that is gone is known to be within two seconds. */
const QUICK_GOSSIP = `gossip_lan { gossip_interval = "20ms" probe_interval = "200ms" probe_timeout = "100ms" suspicion_mult = 2 }`;

/** Only what a test needs listens. */
export function agentConfig({ name, dataDir, ports, expect, joins }: AgentPlan): string {
  const role = expect === 0 ? '' : expect === 1 ? 'server = true bootstrap = true' : `server = true bootstrap_expect = ${expect}`;
  return `
    node_name = ${JSON.stringify(name)}
    data_dir = ${JSON.stringify(dataDir)}
    ${role}
    bind_addr = "127.0.0.1"
    client_addr = "127.0.0.1"
    retry_join = ${JSON.stringify(joins.map((port) => `127.0.0.1:${port}`))}
    retry_interval = "1s"
    disable_keyring_file = true
    leave_on_terminate = false
    performance { raft_multiplier = 1 leave_drain_time = "0s" }
    ports {
      http = ${ports.http} server = ${ports.server} serf_lan = ${ports.serf}
      serf_wan = -1 dns = -1 grpc = -1 grpc_tls = -1
    }
    ${QUICK_GOSSIP}`;
}
