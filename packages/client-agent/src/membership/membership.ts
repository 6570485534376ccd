import { connect } from 'node:net';
import { type Clock, type Coordinate, joinHostPort, LictorError, type Logger, parseHostPortOr } from '@lictor/protocol';
import { dialErrorText, timeoutText } from '../checks/probes/go-errors.ts';
import type { AgentMember, AgentPool, AgentPools, Membership, PoolMember, RuntimeConfig } from '../contracts/index.ts';
import { memberName, memberTags } from './member-tags.ts';

const DIAL_TIMEOUT_MS = 10_000;
const STATUSES = { alive: 1, leaving: 2, left: 3, failed: 4 } as const;
const PROTOCOLS = { ProtocolMin: 1, ProtocolMax: 5, ProtocolCur: 2, DelegateMin: 2, DelegateMax: 5, DelegateCur: 4 } as const;

/** Where every node stands before anything was measured (Serf's Vivaldi configuration). */
const ORIGIN: Coordinate = { Vec: [0, 0, 0, 0, 0, 0, 0, 0], Error: 1.5, Adjustment: 0, Height: 0.000_01 };
/** Lamport times of one that has told nobody anything. */
const LONE_STATS = { event_time: 1, member_time: 1, query_time: 1 };
const COUNTERS = ['coordinate_resets', 'encrypted', 'event_queue', 'health_score', 'intent_queue', 'query_queue'] as const;

export interface MembershipPorts {
  readonly config: () => RuntimeConfig;
  readonly clock: Clock;
  readonly logger: Logger;
  /** As members see it: `1.21.0dev:`. */
  readonly buildTag: string;
  readonly pools: AgentPools;
}

/** The gossip pools as the API shows them; an agent by itself is a pool of one. */
export class AgentMembership implements Membership {
  readonly #ports: MembershipPorts;

  constructor(ports: MembershipPorts) {
    this.#ports = ports;
  }

  members(wan: boolean): readonly AgentMember[] {
    const config = this.#ports.config();
    if (wan && !config.server) return [];
    const pool = this.#pool(wan);
    return pool === undefined ? [this.#self(config, wan)] : pool.members().map((member) => toAgentMember(member));
  }

  coordinate(): Coordinate {
    return this.#pool(false)?.coordinate() ?? ORIGIN;
  }

  stats(wan: boolean): Readonly<Record<string, number>> {
    const members = this.members(wan);
    const count = (status: AgentMember['Status']): number => members.filter(({ Status }) => Status === status).length;
    const none = Object.fromEntries(COUNTERS.map((name) => [name, 0]));
    const counters = this.#pool(wan)?.stats() ?? LONE_STATS;
    return { ...none, ...counters, members: members.length, failed: count(STATUSES.failed), left: count(STATUSES.left) };
  }

  /** A server is in the WAN pool too, as NODE.DATACENTER, and leaves both. @throws LictorError */
  async forceLeave(node: string, { prune, wan }: { readonly prune: boolean; readonly wan: boolean }): Promise<void> {
    const config = this.#ports.config();
    if (wan && !config.server) throw new LictorError('rejected', 'Must be a server to force-leave a node from the WAN cluster');
    this.#ports.logger.info('Force leaving node', { node, wan, prune });
    const suffix = `.${config.datacenter}`;
    const wanName = wan || node.endsWith(suffix) ? node : `${node}${suffix}`;
    const found = [...(wan ? [] : [this.#remove(node, prune, false)]), ...(config.server ? [this.#remove(wanName, prune, true)] : [])];
    if (!found.some(Boolean)) throw new LictorError('rejected', `agent: No node found with name '${node}'`);
  }

  async join(address: string, wan: boolean): Promise<void> {
    const config = this.#ports.config();
    if (wan && !config.server) throw new LictorError('rejected', 'Must be a server to join WAN cluster');
    const port = wan ? config.ports.serfWan : config.ports.serfLan;
    const target = parseHostPortOr(address, port);
    // Joining oneself is how people try the command out; Consul says yes.
    const own = [config.advertiseAddress, config.bindAddress, 'localhost'];
    if (target.port === port && own.includes(target.host)) return;
    const where = joinHostPort(target.host, target.port);
    const reason = await this.#reasonAgainst(where, target, this.#pool(wan));
    if (reason !== undefined) throw new LictorError('rejected', `1 error occurred:\n\t* Failed to join ${where}: ${reason}\n\n`);
  }

  /** @returns whether there is such a member */
  #remove(name: string, prune: boolean, wan: boolean): boolean {
    return this.#pool(wan)?.forceLeave(name, { prune }) ?? this.members(wan).some(({ Name }) => Name === name);
  }

  #pool(wan: boolean): AgentPool | undefined {
    const { lan, wan: wanPool } = this.#ports.pools;
    return wan ? wanPool : lan;
  }

  #self(config: RuntimeConfig, wan: boolean): AgentMember {
    return {
      Name: memberName(config, wan),
      Addr: wan ? config.advertiseAddressWan : config.advertiseAddress,
      Port: wan ? config.ports.serfWan : config.ports.serfLan,
      Tags: memberTags(config, wan, this.#ports.buildTag),
      Status: STATUSES.alive,
      ...PROTOCOLS,
    };
  }

  /** Undefined: it is a member now. */
  async #reasonAgainst(where: string, target: Target, pool: AgentPool | undefined): Promise<string | undefined> {
    if (pool === undefined) return (await this.#dial(target)) ?? 'it answers, but this agent runs by itself and cannot join others';
    const { joined, failures } = await pool.join([where]);
    if (joined > 0) return undefined;
    // Whoever cannot be reached at all is reported in the words that Consul has for it.
    return (await this.#dial(target)) ?? failures[0]?.error.message ?? 'nobody answers';
  }

  #dial(target: Target): Promise<string | undefined> {
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
}

interface Target {
  readonly host: string;
  readonly port: number;
}

function toAgentMember({ name, address, tags, status }: PoolMember): AgentMember {
  const { host, port } = parseHostPortOr(address, 0);
  return { Name: name, Addr: host, Port: port, Tags: tags, Status: STATUSES[status], ...PROTOCOLS };
}
