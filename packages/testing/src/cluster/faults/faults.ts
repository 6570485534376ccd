import type { Machine } from '@lictor/cli';
import { type Clock, joinHostPort, parseHostPortOr } from '@lictor/protocol';
import { systemRandom } from '@lictor/protocol/system';
import type { AgentPorts } from '../agent-config.ts';
import type { TestAgent } from '../test-agent.ts';
import { Disk, type DiskFault } from './disk.ts';
import { faultyGossip } from './gossip.ts';
import { type LinkFaults, Links } from './links.ts';
import { Relay } from './relay.ts';

/** An agent of the cluster, by its handle. */
type Named = Pick<TestAgent, 'name'>;

export interface FaultyAgent {
  readonly name: string;
  readonly isServer: boolean;
  readonly ports: AgentPorts;
}

const HOST = '127.0.0.1';

/** In front of every server for RPC, and of every agent for gossip's streams: one for each other agent. */
export function relayCount(servers: number, clients: number): number {
  return (2 * servers + clients) * (servers + clients - 1);
}

/**
 * What can go wrong between and below the agents of one process: RPC, Raft and greetings go through relays on loopback, as do gossip's
 * streams; gossip's datagrams are lost and delayed where they are sent. What programs say to agents over HTTP, and sidecars to each
 * other, is none of this; an agent by itself cannot be paused, since all share one event loop.
 */
export class Faults {
  readonly #clock: Clock;
  readonly #agents: readonly FaultyAgent[];
  readonly #links: Links;
  readonly #disks: ReadonlyMap<string, Disk>;
  readonly #owners: ReadonlyMap<number, string>;
  /** By the name of who connects, and the port. */
  readonly #relays = new Map<string, Relay>();

  constructor(agents: readonly FaultyAgent[], clock: Clock) {
    this.#clock = clock;
    this.#agents = agents;
    this.#links = new Links(agents.map(({ name }) => name));
    this.#disks = new Map(agents.filter(({ isServer }) => isServer).map(({ name }) => [name, new Disk()]));
    this.#owners = new Map(agents.flatMap(({ name, ports }) => [ports.server, ports.serf].map((port): [number, string] => [port, name])));
  }

  /** Between two agents, in both directions. @throws RangeError for agents of another cluster */
  cut(one: Named, other: Named): void {
    this.#change(one, other, { isCut: true });
  }

  /** What `from` sends does not arrive; the other direction is as it was. */
  cutOneWay(from: Named, to: Named): void {
    this.#links.between(from.name, to.name).change({ isCut: true });
  }

  /** From all others. */
  isolate(agent: Named): void {
    for (const other of this.#agents) if (other.name !== agent.name) this.cut(agent, other);
  }

  /** Everything takes so much longer, each way. */
  delay(one: Named, other: Named, delayMs: number): void {
    this.#change(one, other, { delayMs });
  }

  /** Loses this part of gossip's datagrams, 0 to 1, each way. Streams are TCP: they lose nothing. */
  lose(one: Named, other: Named, lossRate: number): void {
    this.#change(one, other, { lossRate });
  }

  /** Both reset each other's connections, the open ones and those to come, and take no datagrams: as programs that have ended. */
  refuse(one: Named, other: Named): void {
    this.#change(one, other, { isRefusing: true });
  }

  /**
   * From now on nothing can be written to the server's log and snapshots. It takes no part any more, also after `heal`, until it is killed
   * and started again. @throws RangeError for a client, whose own small files are left alone
   */
  failDisk(agent: Named, fault: DiskFault = 'failing'): void {
    const disk = this.#disks.get(agent.name);
    if (disk === undefined) throw new RangeError(`${agent.name} is no server: it keeps no log`);
    disk.fault = fault;
  }

  /** All links and disks are as at the start. */
  heal(): void {
    for (const link of this.#links.all()) link.heal();
    for (const disk of this.#disks.values()) disk.fault = undefined;
  }

  /**
   * Before any agent runs.
   * @param ports Free ones, as many as `relayCount` says: relays must not take what agents are about to listen on
   */
  async start(ports: readonly number[]): Promise<void> {
    const free = ports.values();
    for (const { name: from } of this.#agents) {
      for (const { name: to, isServer, ports } of this.#agents) {
        if (from === to) continue;
        const links = { forth: this.#links.between(from, to), back: this.#links.between(to, from) };
        for (const port of isServer ? [ports.server, ports.serf] : [ports.serf]) {
          this.#relays.set(`${from} ${port}`, new Relay(free.next().value ?? 0, port, links, this.#clock));
        }
      }
    }
    await Promise.all([...this.#relays.values()].map((relay) => relay.start()));
  }

  /** After the agents have ended. */
  async stop(): Promise<void> {
    await Promise.all([...this.#relays.values()].map((relay) => relay.stop()));
  }

  /** An agent's share of the machine. */
  machineOf(name: string): Partial<Machine> {
    const routeTo = (address: string): string => {
      const relay = this.#relays.get(`${name} ${parseHostPortOr(address, 0).port}`);
      return relay === undefined ? address : joinHostPort(HOST, relay.port);
    };
    const linkTo = (address: string) => {
      const owner = this.#owners.get(parseHostPortOr(address, 0).port);
      return owner === undefined || owner === name ? undefined : this.#links.between(name, owner);
    };
    const ways = { clock: this.#clock, random: systemRandom, linkTo, routeTo };
    const disk = this.#disks.get(name);
    return { routeTo, wrapGossip: (transport) => faultyGossip(transport, ways), ...(disk !== undefined && { wrapStorage: disk.wrap }) };
  }

  #change(one: Named, other: Named, faults: Partial<LinkFaults>): void {
    this.#links.between(one.name, other.name).change(faults);
    this.#links.between(other.name, one.name).change(faults);
  }
}
