import { connect } from 'node:net';
import { type Clock, joinHostPort, LictorError, parseHostPortOr } from '@lictor/protocol';
import { dialErrorText, timeoutText } from '../checks/probes/go-errors.ts';
import type { AgentMember, Membership, RuntimeConfig } from '../contracts/index.ts';

const DIAL_TIMEOUT_MS = 10_000;
const STATUSES = { alive: 1, left: 3, failed: 4 } as const;
const PROTOCOLS = { ProtocolMin: 1, ProtocolMax: 5, ProtocolCur: 2, DelegateMin: 2, DelegateMax: 5, DelegateCur: 4 } as const;

export interface MembershipPorts {
  readonly config: () => RuntimeConfig;
  readonly clock: Clock;
  /** As members see it: `1.21.0dev:`. */
  readonly buildTag: string;
  /** The other servers; absent where there can be none. */
  readonly peers?: Peers;
}

/** What a server knows of the others. */
export interface Peers {
  /** This one not included. */
  members(): readonly PeerMember[];
  /** @throws LictorError */
  join(address: string): Promise<void>;
  /** False: there is none of that name. */
  forceLeave(name: string): boolean;
}

export interface PeerMember {
  readonly name: string;
  readonly id: string;
  readonly status: 'alive' | 'failed' | 'left';
  /** `ip:port` of joins. */
  readonly joinAddress: string;
  readonly rpcPort: number;
  readonly version: string;
  readonly bootstrapExpect: number;
  readonly isBootstrap: boolean;
  readonly grpcPort: number;
  readonly grpcTlsPort: number;
}

/** This agent and, on a server, the other servers: gossip has its own place and is not there yet. */
export class AgentMembership implements Membership {
  readonly #ports: MembershipPorts;

  constructor(ports: MembershipPorts) {
    this.#ports = ports;
  }

  members(wan: boolean): readonly AgentMember[] {
    const config = this.#ports.config();
    if (wan && !config.server) return [];
    const self: AgentMember = {
      Name: wan ? `${config.nodeName}.${config.datacenter}` : config.nodeName,
      Addr: wan ? config.advertiseAddressWan : config.advertiseAddress,
      Port: wan ? config.ports.serfWan : config.ports.serfLan,
      Tags: this.#tags(config, wan),
      Status: 1,
      ...PROTOCOLS,
    };
    const others = wan ? [] : (this.#ports.peers?.members() ?? []).map((peer) => this.#peer(config, peer));
    return [self, ...others];
  }

  #peer(config: RuntimeConfig, peer: PeerMember): AgentMember {
    const at = parseHostPortOr(peer.joinAddress, config.ports.serfLan);
    const { bootstrap: _bootstrap, expect: _expect, ...tags } = this.#tags(config, false);
    return {
      Name: peer.name,
      Addr: at.host,
      Port: at.port,
      Tags: {
        ...tags,
        id: peer.id,
        port: String(peer.rpcPort),
        build: `${peer.version}:`,
        ...(peer.isBootstrap && { bootstrap: '1' }),
        ...(peer.bootstrapExpect > 0 && { expect: String(peer.bootstrapExpect) }),
        ...(peer.grpcPort > 0 && { grpc_port: String(peer.grpcPort) }),
        ...(peer.grpcTlsPort > 0 && { grpc_tls_port: String(peer.grpcTlsPort) }),
      },
      Status: STATUSES[peer.status],
      ...PROTOCOLS,
    };
  }

  async forceLeave(node: string, options: { readonly prune: boolean; readonly wan: boolean }): Promise<void> {
    if (this.#ports.peers?.forceLeave(node) === true) return;
    if (this.members(options.wan).some((member) => member.Name === node)) return;
    throw new LictorError('rejected', `agent: No node found with name '${node}'`);
  }

  async join(address: string, wan: boolean): Promise<void> {
    const config = this.#ports.config();
    const port = wan ? config.ports.serfWan : config.ports.serfLan;
    const target = parseHostPortOr(address, port);
    // Joining oneself is how people try the command out; Consul says yes.
    const own = [config.advertiseAddress, config.bindAddress, 'localhost'];
    if (target.port === port && own.includes(target.host)) return;
    const where = joinHostPort(target.host, target.port);
    const reason = (await this.#dial(target)) ?? (await this.#greet(where, wan));
    if (reason !== undefined) throw new LictorError('rejected', `1 error occurred:\n\t* Failed to join ${where}: ${reason}\n\n`);
  }

  /** Why not; undefined: it is a member now. */
  async #greet(where: string, wan: boolean): Promise<string | undefined> {
    const { peers } = this.#ports;
    if (peers === undefined || wan) return 'it answers, but this agent runs by itself and cannot join others';
    try {
      await peers.join(where);
      return undefined;
    } catch (thrown) {
      return LictorError.from(thrown).message;
    }
  }

  #dial(target: { readonly host: string; readonly port: number }): Promise<string | undefined> {
    const where = joinHostPort(target.host, target.port);
    return new Promise((resolve) => {
      const socket = connect(target);
      const finish = (text: string | undefined): void => {
        timer.cancel();
        socket.destroy();
        resolve(text);
      };
      const timer = this.#ports.clock.setTimer(DIAL_TIMEOUT_MS, () => finish(timeoutText('tcp', where)));
      socket.on('error', (error) => finish(dialErrorText('tcp', where, error)));
      socket.once('connect', () => finish(undefined));
    });
  }

  /** Serf's tags of a server (consul-facts R002). */
  #tags(config: RuntimeConfig, wan: boolean): Record<string, string> {
    const common = {
      build: this.#ports.buildTag,
      dc: config.datacenter,
      id: config.nodeId,
      segment: '',
      vsn: '2',
      vsn_min: '2',
      vsn_max: '3',
    };
    if (!config.server) return { ...common, role: 'node' };
    return {
      ...common,
      role: 'consul',
      acls: config.aclEnabled ? '1' : '0',
      port: String(config.ports.server),
      raft_vsn: '3',
      ft_fs: '1',
      ft_si: '1',
      ...(config.bootstrap && { bootstrap: '1' }),
      ...(config.bootstrapExpect > 0 && { expect: String(config.bootstrapExpect) }),
      ...(config.ports.grpc > 0 && { grpc_port: String(config.ports.grpc) }),
      ...(config.ports.grpcTls > 0 && { grpc_tls_port: String(config.ports.grpcTls) }),
      ...(!wan && { wan_join_port: String(config.ports.serfWan) }),
    };
  }
}
