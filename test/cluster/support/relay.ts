import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { freePorts } from '../../support/process.ts';
import { ownerOf } from './connection-owner.ts';
import { DatagramRelay } from './datagram-relay.ts';
import { RelayedConnection } from './relayed-connection.ts';
import { type ClusterNetwork, SERVER_PORTS, type ServerPlace, type ServerPorts } from './network.ts';

/** What servers reach each other by; gossip goes in datagrams as well. */
const RELAYED_PORTS = ['server', 'serf-lan', 'serf-wan'] as const;
const GOSSIP_PORTS = ['serf-lan', 'serf-wan'] as const;
const BIND_HOST = '127.0.0.1';
const TRANSPARENT = { noDelay: true, allowHalfOpen: true };

/** Linux alone has all of 127.0.0.0/8, and tells whose a connection is. */
export function canRelay(): boolean {
  return process.platform === 'linux';
}

/**
 * Servers on 127.0.0.1, each with ports of its own, that reach each other through relays of ours and so can be cut off without root.
 *
 * A server says one address of itself to all the others: the relay in front of it, which has the same ports on another loopback address. Whom
 * a connection comes from is not to be seen by its address, which is 127.0.0.1 for all: the relay asks the system which process holds it.
 */
export async function createRelay(servers: number): Promise<ClusterNetwork> {
  const ports = await freePorts(servers * SERVER_PORTS.length);
  const relay = new Relay(Array.from({ length: servers }, (_, server) => portsOf(ports, server)));
  await relay.open();
  return relay;
}

class Relay implements ClusterNetwork {
  readonly canCut = true;
  readonly #ports: readonly ServerPorts[];
  readonly #pids = new Map<number, number>();
  readonly #listeners: Server[] = [];
  readonly #datagrams: DatagramRelay[] = [];
  readonly #connections = new Map<RelayedConnection, readonly [from: number, to: number]>();
  readonly #cuts = new Set<string>();
  readonly #severed = new Set<string>();
  readonly #shut = new Set<number>();

  constructor(ports: readonly ServerPorts[]) {
    this.#ports = ports;
  }

  async open(): Promise<void> {
    for (const [server, ports] of this.#ports.entries()) {
      for (const name of RELAYED_PORTS) {
        const listener = createServer({ pauseOnConnect: true, ...TRANSPARENT }, (socket) => this.#accept(socket, server, ports[name]));
        listener.listen(ports[name], relayHost(server));
        await once(listener, 'listening');
        this.#listeners.push(listener);
      }
    }
    for (const name of GOSSIP_PORTS) {
      const ends = this.#ports.map((ports, server) => ({ host: relayHost(server), port: ports[name] }));
      this.#datagrams.push(await DatagramRelay.open(ends, BIND_HOST, (from, to) => this.#isCut(from, to) || this.#shut.has(to)));
    }
  }

  placeOf(server: number): ServerPlace {
    const ports = this.#ports[server];
    if (ports === undefined) throw new RangeError(`there is no server ${server}`);
    const onStart = (pid: number): void => void this.#pids.set(server, pid);
    return { host: BIND_HOST, advertisedHost: relayHost(server), ports, prefix: [], onStart };
  }

  cut(from: number, to: number): void {
    this.#cuts.add(`${from} ${to}`);
    this.#settle();
  }

  sever(one: number, other: number): void {
    for (const [from, to] of [[one, other] as const, [other, one] as const]) {
      this.#severed.add(`${from} ${to}`);
      for (const [connection, ends] of this.#connections) if (ends[0] === from && ends[1] === to) connection.reset();
    }
  }

  shut(server: number): void {
    this.#shut.add(server);
    for (const [connection, [, to]] of this.#connections) if (to === server) connection.reset();
  }

  heal(): void {
    this.#cuts.clear();
    this.#severed.clear();
    this.#shut.clear();
    this.#settle();
  }

  close(): void {
    for (const closable of [...this.#listeners, ...this.#datagrams]) closable.close();
    for (const connection of this.#connections.keys()) connection.reset();
  }

  #isCut(from: number, to: number): boolean {
    return this.#cuts.has(`${from} ${to}`) || this.#severed.has(`${from} ${to}`);
  }

  #settle(): void {
    for (const connection of this.#connections.keys()) connection.settle();
  }

  #accept(caller: Socket, to: number, port: number): void {
    caller.on('error', () => undefined);
    const from = this.#serverOf(caller);
    if (from === undefined || this.#shut.has(to) || this.#severed.has(`${from} ${to}`)) {
      caller.resetAndDestroy();
      return;
    }
    const callee = connect({ host: BIND_HOST, port, ...TRANSPARENT });
    const isOpen = { there: () => !this.#cuts.has(`${from} ${to}`), back: () => !this.#cuts.has(`${to} ${from}`) };
    const connection = new RelayedConnection(caller, callee, isOpen);
    this.#connections.set(connection, [from, to]);
    void connection.closed.then(() => this.#connections.delete(connection));
  }

  /** Undefined: it is not one of ours, or gone. */
  #serverOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): number | undefined {
    if (remoteAddress === undefined || remotePort === undefined || localAddress === undefined || localPort === undefined) return undefined;
    const caller = { host: remoteAddress, port: remotePort };
    const owner = ownerOf(caller, { host: localAddress, port: localPort }, [...this.#pids.values()]);
    return [...this.#pids].find(([, pid]) => pid === owner)?.[0];
  }
}

/** Another for each process: ports that are free here may be in use by the relays of another test. */
function relayHost(server: number): string {
  return `127.${1 + (process.pid % 250)}.${Math.floor(process.pid / 250) % 250}.${server + 1}`;
}

function portsOf(ports: readonly number[], server: number): ServerPorts {
  const own = SERVER_PORTS.map((name, position) => [name, ports[server * SERVER_PORTS.length + position] ?? 0]);
  return Object.fromEntries(own) as ServerPorts;
}
