import type { Random } from '@lictor/protocol';
import { createServerConfig, type ServerConfig } from '@lictor/server';
import { rpcAddressOf, type VirtualNetwork } from '../network/virtual-network.ts';
import type { Scheduler } from '../time/scheduler.ts';
import type { Weather } from '../weather.ts';
import { Machine } from './machine.ts';
import { ServerProcess, type ProcessPorts } from './process.ts';

export const ELECTION_TIMEOUT_MS = 1000;
export const RAFT_TIMING = { heartbeatMs: 100, electionTimeoutMs: ELECTION_TIMEOUT_MS, leaseMs: 500 } as const;
const HOLD_MS = 7000;

export interface ClusterEvents {
  /** Before it starts. */
  created(process: ServerProcess): void;
  /** It is about to stand still. */
  pausing(process: ServerProcess): void;
  report(what: string): void;
}

/** Machines and what runs on them. */
export class Cluster {
  readonly machines: Machine[] = [];
  readonly #weather: Weather;
  readonly #scheduler: Scheduler;
  readonly #random: Random;
  readonly #ports: ProcessPorts;
  readonly #events: ClusterEvents;
  readonly #processes = new Map<Machine, ServerProcess>();
  /** Whose data cannot be read any more: they wait for new disks. */
  readonly destroyed = new Set<Machine>();
  /** Whose disks have lost bits since they last ran. */
  readonly rotten = new Map<Machine, 'log' | 'snapshot'>();
  readonly #pauses = new Map<ServerProcess, { fromMs: number; toMs: number }[]>();
  crashes = 0;
  starts = 0;

  constructor(weather: Weather, network: VirtualNetwork, random: Random, ports: ProcessPorts, events: ClusterEvents) {
    this.#weather = weather;
    this.#scheduler = network.scheduler;
    this.#random = random;
    this.#ports = ports;
    this.#events = events;
  }

  addMachine(): Machine {
    const machine = new Machine(this.machines.length + 1, this.#random, this.#weather.drift, this.#weather);
    this.machines.push(machine);
    return machine;
  }

  processOf(machine: Machine): ServerProcess | undefined {
    const process = this.#processes.get(machine);
    return process?.isDead === true ? undefined : process;
  }

  get running(): readonly ServerProcess[] {
    return [...this.#processes.values()].filter(({ isDead }) => !isDead);
  }

  /** Those that clients can reach. */
  get up(): readonly ServerProcess[] {
    return this.running.filter(({ isUp }) => isUp);
  }

  /** Of several who believe it, the one of the latest term. */
  get leader(): ServerProcess | undefined {
    const leaders = this.up.filter(({ server, isPaused }) => server.consensus.isLeader && !isPaused);
    return leaders.sort((left, right) => right.server.consensus.term - left.server.consensus.term)[0];
  }

  start(machine: Machine): void {
    if (this.processOf(machine) !== undefined || this.destroyed.has(machine)) return;
    this.starts++;
    machine.begin();
    const process = new ServerProcess(machine, this.#configOf(machine), this.#ports);
    this.#processes.set(machine, process);
    this.#events.created(process);
    this.#scheduler.note('start', machine.name, machine.nodeId.slice(0, 8));
    this.#scheduler.at(0, process, () => {
      process.server.start().then(
        () => this.#started(process),
        (thrown: unknown) => this.#startFailed(process, thrown),
      );
    });
  }

  kill(process: ServerProcess): void {
    if (process.isDead) return;
    this.crashes++;
    this.#scheduler.note('kill', process.machine.name);
    process.kill();
  }

  /** Comes back after a while. */
  restartLater(machine: Machine, withinMs = this.#weather.downMs): void {
    this.#scheduler.at(20 + this.#random.float() * withinMs, undefined, () => this.start(machine));
  }

  /** Asks it to stop, as a signal does. */
  stop(process: ServerProcess): void {
    if (!process.isUp) return;
    process.isStopping = true;
    this.#scheduler.note('stop', process.machine.name);
    this.#scheduler.at(0, process, () => {
      process.server.stop().then(
        () => {
          process.end();
          this.restartLater(process.machine);
        },
        (thrown: unknown) => this.#events.report(`${process.machine.name} did not stop: ${String(thrown)}`),
      );
    });
  }

  pause(process: ServerProcess, forMs: number): void {
    if (process.isDead || process.isPaused) return;
    this.#events.pausing(process);
    process.isPaused = true;
    this.#scheduler.note('pause', process.machine.name, forMs);
    const pause = { fromMs: this.#scheduler.nowMs, toMs: Infinity };
    this.#pauses.set(process, [...(this.#pauses.get(process) ?? []), pause]);
    this.#scheduler.at(forMs, undefined, () => {
      pause.toMs = this.#scheduler.nowMs;
      if (!process.isDead) this.#scheduler.resume(process, this.#random.float() < 0.7);
    });
  }

  pausedSince(process: ServerProcess, sinceMs: number): number {
    const { nowMs } = this.#scheduler;
    const pauses = this.#pauses.get(process) ?? [];
    return pauses.reduce((sum, { fromMs, toMs }) => sum + Math.max(0, Math.min(toMs, nowMs) - Math.max(fromMs, sinceMs)), 0);
  }

  #started(process: ServerProcess): void {
    process.isStarted = true;
    const { machine } = process;
    if (this.rotten.get(machine) === 'log') this.#events.report(`${machine.name} has started on a log that has lost a bit`);
    this.rotten.delete(machine);
    this.#scheduler.note('started', machine.name);
  }

  #startFailed(process: ServerProcess, thrown: unknown): void {
    const { machine } = process;
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    this.#scheduler.note('start failed', machine.name, why);
    process.end();
    if (this.rotten.has(machine)) {
      this.rotten.delete(machine);
      this.destroyed.add(machine);
    } else if (machine.hasFaults) this.restartLater(machine);
    else this.#events.report(`${machine.name} does not start: ${why}`);
  }

  #configOf(machine: Machine): ServerConfig {
    const { servers, snapshotEntries, snapshotIntervalMs, trailingEntries } = this.#weather;
    return createServerConfig({
      nodeName: machine.name,
      nodeId: machine.nodeId,
      rpcAddress: rpcAddressOf(machine.slot),
      dataDir: '/data',
      isBootstrap: false,
      network: {
        rpcHost: '10.0.0.0',
        rpcPort: 8300,
        bootstrapExpect: machine.slot <= servers ? servers : 0,
        tls: null,
      },
      raftTiming: RAFT_TIMING,
      rpcHoldMs: HOLD_MS,
      connectEnabled: false,
      sessionTtlMinMs: 500,
      tombstoneTtlMs: 3000,
      tombstoneGranularityMs: 500,
      snapshotThreshold: snapshotEntries,
      snapshotIntervalMs,
      trailingLogs: trailingEntries,
    });
  }
}
