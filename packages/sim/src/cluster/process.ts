import { type Random, silentMetrics, type Logger } from '@lictor/protocol';
import { seededRandom } from '@lictor/protocol/testing';
import { DiskLogStore, FileSnapshotStore, type LogStore } from '@lictor/raft';
import { createServer, type Server, type ServerConfig } from '@lictor/server';
import { serverNetwork } from '../network/server-network.ts';
import { createHost, detach, type Host, type VirtualNetwork } from '../network/virtual-network.ts';
import { ServerClock } from '../time/server-clock.ts';
import type { Event, Owner } from '../time/scheduler.ts';
import type { Machine } from './machine.ts';

export interface ProcessPorts {
  readonly network: VirtualNetwork;
  readonly random: Random;
  readonly logger: Logger;
  /** Watches what is written to the log. */
  watchLog(process: ServerProcess, log: LogStore): LogStore;
}

/** One life of a server: production code from its start to its death. */
export class ServerProcess implements Owner {
  readonly ordinal: number;
  readonly machine: Machine;
  readonly nodeId: string;
  readonly startedMs: number;
  readonly host: Host;
  readonly server: Server;
  readonly clock: ServerClock;
  readonly #network: VirtualNetwork;
  isDead = false;
  isPaused = false;
  held: Event[] = [];
  /** It has answered that it runs. */
  isStarted = false;
  /** Its disk has failed: it takes no part in Raft until it is restarted. */
  hasFailed = false;
  isStopping = false;

  constructor(machine: Machine, config: ServerConfig, ports: ProcessPorts) {
    const { network, random } = ports;
    const { scheduler } = network;
    this.ordinal = ++scheduler.owners;
    this.machine = machine;
    this.nodeId = machine.nodeId;
    this.startedMs = scheduler.nowMs;
    this.#network = network;
    this.host = createHost(machine.slot, machine.nodeId, this);
    this.clock = new ServerClock(machine.clock, scheduler, this, random);
    const logger = ports.logger.named(machine.name);
    const disk = machine.diskPorts(scheduler, this);
    this.server = createServer(config, {
      clock: this.clock,
      random: seededRandom(Math.floor(random.float() * 2 ** 32)),
      logger,
      metrics: silentMetrics,
      storage: {
        log: ports.watchLog(this, new DiskLogStore(machine.log.open(disk))),
        snapshots: new FileSnapshotStore(machine.snapshots.open(disk), logger),
        files: machine.home.open(disk),
      },
      network: serverNetwork(network, this.host, config, { clock: this.clock, logger }),
    });
  }

  /** Clients can reach it. */
  get isUp(): boolean {
    return this.isStarted && !this.isDead && !this.isStopping;
  }

  /** As by `kill -9` and a power cut at once. */
  kill(): void {
    if (this.isDead) return;
    this.isDead = true;
    this.held = [];
    detach(this.#network, this.host);
    this.machine.crash();
  }

  /** Its process ended by itself: what it was asked to write is written. */
  end(): void {
    if (this.isDead) return;
    this.isDead = true;
    detach(this.#network, this.host);
  }
}
