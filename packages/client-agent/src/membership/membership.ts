import { connect } from 'node:net';
import { type Clock, LictorError } from '@lictor/protocol';
import { dialErrorText, splitHostPort, timeoutText } from '../checks/probes/go-errors.ts';
import type { AgentMember, Membership, RuntimeConfig } from '../contracts/index.ts';

const DIAL_TIMEOUT_MS = 10_000;

export interface MembershipPorts {
  readonly config: () => RuntimeConfig;
  readonly clock: Clock;
  /** As members see it: `1.21.0dev:`. */
  readonly buildTag: string;
}

/** The one member that there is before gossip: this agent. */
export class SelfMembership implements Membership {
  readonly #ports: MembershipPorts;

  constructor(ports: MembershipPorts) {
    this.#ports = ports;
  }

  members(wan: boolean): readonly AgentMember[] {
    const config = this.#ports.config();
    if (wan && !config.server) return [];
    return [
      {
        Name: wan ? `${config.nodeName}.${config.datacenter}` : config.nodeName,
        Addr: wan ? config.advertiseAddressWan : config.advertiseAddress,
        Port: wan ? config.ports.serfWan : config.ports.serfLan,
        Tags: this.#tags(config, wan),
        Status: 1,
        ProtocolMin: 1,
        ProtocolMax: 5,
        ProtocolCur: 2,
        DelegateMin: 2,
        DelegateMax: 5,
        DelegateCur: 4,
      },
    ];
  }

  async forceLeave(node: string, options: { readonly prune: boolean; readonly wan: boolean }): Promise<void> {
    if (this.members(options.wan).some((member) => member.Name === node)) return;
    throw new LictorError('rejected', `agent: No node found with name '${node}'`);
  }

  async join(address: string, wan: boolean): Promise<void> {
    const config = this.#ports.config();
    const port = wan ? config.ports.serfWan : config.ports.serfLan;
    const target = splitHostPort(address) ?? { host: address.replace(/^\[|\]$/g, ''), port };
    // Joining oneself is how people try the command out; Consul says yes.
    const own = [config.advertiseAddress, config.bindAddress, 'localhost'];
    if (target.port === port && own.includes(target.host)) return;
    const where = `${target.host}:${target.port}`;
    const reason = (await this.#dial(target)) ?? 'it answers, but this version of Lictor runs one node and cannot join others';
    throw new LictorError('rejected', `1 error occurred:\n\t* Failed to join ${where}: ${reason}\n\n`);
  }

  #dial(target: { readonly host: string; readonly port: number }): Promise<string | undefined> {
    const where = `${target.host}:${target.port}`;
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
