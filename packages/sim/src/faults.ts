import { type Random, randomInteger } from '@lictor/protocol';
import { type Cluster, ELECTION_TIMEOUT_MS } from './cluster/cluster.ts';
import type { Machine } from './cluster/machine.ts';
import type { Operator } from './cluster/operator.ts';
import type { ServerProcess } from './cluster/process.ts';
import { pick } from './clients/world.ts';
import type { Links } from './network/links.ts';
import type { Scheduler } from './time/scheduler.ts';
import type { Weather } from './weather.ts';

export interface FaultPorts {
  readonly cluster: Cluster;
  readonly operator: Operator;
  readonly links: Links;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly weather: Weather;
  /** The state is replaced, through this leader. */
  restore(leader: ServerProcess): void;
}

const WALL_JUMP_MS = 3_600_000;

/** Whatever can happen to machines and what runs on them. */
export class Faults {
  readonly #ports: FaultPorts;
  isOver = false;

  constructor(ports: FaultPorts) {
    this.#ports = ports;
  }

  strike(): void {
    if (this.isOver) return;
    const { cluster, random, weather } = this.#ports;
    const process = pick(random, cluster.running);
    const leader = random.float() < 0.4 ? (cluster.leader ?? process) : process;
    if (leader === undefined) return;
    const kinds: readonly (readonly [boolean, number, () => void])[] = [
      [true, 3, () => this.#kill(leader)],
      [true, 1, () => cluster.stop(leader)],
      [weather.hasPowerCuts, 2, () => this.#powerCut()],
      [weather.hasPartitions, 5, () => this.#partition(leader)],
      [weather.hasPartitions, 3, () => this.#heal()],
      [weather.hasPauses, 4, () => this.#pause(leader)],
      [weather.hasDiskFaults, 2, () => this.#diskFault(leader.machine)],
      [weather.hasBitRot, 2, () => this.#bitRot(leader)],
      [true, 1, () => this.#jumpClock(leader.machine)],
      [true, 2, () => this.#transfer()],
      [weather.hasRestores, 2, () => cluster.leader !== undefined && this.#ports.restore(cluster.leader)],
    ];
    const possible = kinds.filter(([isPossible]) => isPossible);
    let dice = random.float() * possible.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [, weight, act] of possible) {
      dice -= weight;
      if (dice < 0) return act();
    }
  }

  /** A new leader that dies young, or is not heard, or hears nobody. */
  troubleLeader(process: ServerProcess): void {
    const { random, weather, scheduler } = this.#ports;
    if (this.isOver || random.float() >= weather.leaderTroubleRate) return;
    const afterMs = random.float() < 0.3 ? 0 : random.float() * 200;
    const kind = randomInteger(random, 3);
    scheduler.at(afterMs, undefined, () => {
      if (this.isOver || process.isDead) return;
      if (kind === 0) this.#kill(process);
      else this.#isolate(process.machine, kind === 1 ? 'deaf' : 'mute');
    });
  }

  /** Mostly for longer than it takes the others to elect a leader. */
  #pause(process: ServerProcess): void {
    const { cluster, random } = this.#ports;
    const leastMs = random.float() < 0.6 ? 1.5 * ELECTION_TIMEOUT_MS : 50;
    cluster.pause(random.float() < 0.5 ? (cluster.leader ?? process) : process, leastMs + random.float() * 2 * ELECTION_TIMEOUT_MS);
  }

  #kill(process: ServerProcess): void {
    const { cluster } = this.#ports;
    cluster.kill(process);
    cluster.restartLater(process.machine);
  }

  /** Several at the same moment: what only they had, and had not synced, is gone. */
  #powerCut(): void {
    for (const process of this.#ports.cluster.running) if (this.#ports.random.float() < 0.8) this.#kill(process);
  }

  #partition(process: ServerProcess): void {
    const { random, cluster, links, scheduler } = this.#ports;
    const dice = random.float();
    if (dice < 0.2) return this.#isolate(process.machine, 'both');
    if (dice < 0.35) return this.#isolate(process.machine, 'deaf');
    if (dice < 0.5) return this.#isolate(process.machine, 'mute');
    const side = new Set(cluster.machines.filter(() => random.float() < 0.5));
    const isOneWay = random.float() < 0.3;
    scheduler.note('partition', [...side].map(({ slot }) => slot).join(), isOneWay);
    links.heal();
    for (const from of cluster.machines) {
      for (const to of cluster.machines) {
        if (side.has(from) === side.has(to) || (isOneWay && side.has(to))) continue;
        links.cut(from.slot, to.slot);
      }
    }
    return undefined;
  }

  /** Nobody hears it, it hears nobody, or both, for a while. */
  #isolate(machine: Machine, how: 'mute' | 'deaf' | 'both'): void {
    const { cluster, links, scheduler, random } = this.#ports;
    scheduler.note('isolate', machine.name, how);
    for (const { slot } of cluster.machines) {
      if (slot === machine.slot) continue;
      if (how !== 'deaf') links.cut(machine.slot, slot);
      if (how !== 'mute') links.cut(slot, machine.slot);
    }
    scheduler.at(random.float() * 5 * ELECTION_TIMEOUT_MS, undefined, () => {
      for (const { slot } of cluster.machines) {
        links.mend(machine.slot, slot);
        links.mend(slot, machine.slot);
      }
    });
  }

  #heal(): void {
    this.#ports.scheduler.note('heal');
    this.#ports.links.heal();
  }

  #diskFault(machine: Machine): void {
    const { random, scheduler } = this.#ports;
    const dice = random.float();
    scheduler.note('disk', machine.name, dice);
    if (dice < 0.5) machine.stall(scheduler.nowMs + random.float() * 3 * ELECTION_TIMEOUT_MS);
    else machine.fail(dice < 0.75 ? 'ENOSPC' : 'EIO');
  }

  /** While the server is down its disk loses a bit of what it has acknowledged. One server at a time: what is lost so, others must have. */
  #bitRot(process: ServerProcess): void {
    const { cluster, operator, random, scheduler } = this.#ports;
    const voters = cluster.leader?.server.consensus.configuration().Servers.filter(({ Voter }) => Voter) ?? [];
    const areThere = voters.every(({ ID }) => cluster.machines.some(({ nodeId }) => nodeId === ID));
    if (!operator.isAtEase || voters.length < 3 || !areThere || !process.isUp) return;
    const { machine } = process;
    cluster.kill(process);
    const isSnapshot = random.float() < 0.3;
    const what = isSnapshot ? machine.snapshots.flip(random) : machine.log.flip(random);
    scheduler.note('bit rot', machine.name, what);
    if (what !== undefined) cluster.rotten.set(machine, isSnapshot ? 'snapshot' : 'log');
    cluster.restartLater(machine);
  }

  #jumpClock(machine: Machine): void {
    const byMs = Math.round((this.#ports.random.float() * 2 - 1) * WALL_JUMP_MS);
    this.#ports.scheduler.note('wall clock', machine.name, byMs);
    machine.clock.wallOffsetMs += byMs;
  }

  #transfer(): void {
    const { cluster, scheduler, random } = this.#ports;
    const { leader } = cluster;
    if (leader === undefined) return;
    const to = random.float() < 0.5 ? undefined : pick(random, cluster.machines)?.nodeId;
    scheduler.note('transfer', leader.machine.name, to);
    scheduler.at(0, leader, () => {
      leader.server.consensus.transferLeadership(to).then(
        () => scheduler.note('transferred'),
        () => scheduler.note('not transferred'),
      );
    });
  }

  /** The storm is over: machines run, and reach each other. */
  end(): void {
    const { cluster, links } = this.#ports;
    this.isOver = true;
    links.heal();
    for (const machine of cluster.machines) {
      machine.repair();
      machine.diskMs = 1;
      const process = cluster.processOf(machine);
      if (process?.isPaused === true) this.#ports.scheduler.resume(process, false);
      if (process === undefined) cluster.start(machine);
    }
  }
}
