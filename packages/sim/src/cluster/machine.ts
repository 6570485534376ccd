import { type Random, randomInteger, randomUuid } from '@lictor/protocol';
import type { DiskFault, DiskPorts } from '../disk/disk-ports.ts';
import { VirtualFiles } from '../disk/virtual-files.ts';
import { VirtualLogDisk } from '../disk/virtual-log-disk.ts';
import { createMachineClock, type MachineClock } from '../time/server-clock.ts';
import type { Owner, Scheduler } from '../time/scheduler.ts';

export interface DiskWeather {
  /** Of one operation at most. */
  readonly diskMs: number;
}

/** What of a server outlives its process: a clock, disks, and, on them, its name in Raft. */
export class Machine {
  readonly slot: number;
  readonly name: string;
  readonly clock: MachineClock;
  readonly log = new VirtualLogDisk();
  readonly snapshots = new VirtualFiles();
  readonly home = new VirtualFiles();
  readonly #random: Random;
  nodeId: string;
  diskMs: number;
  #stalledUntilMs = 0;
  #faults: DiskFault[] = [];

  constructor(slot: number, random: Random, maxDrift: number, { diskMs }: DiskWeather) {
    this.slot = slot;
    this.name = `server-${slot}`;
    this.#random = random;
    this.clock = createMachineClock(random, maxDrift);
    this.nodeId = randomUuid(random);
    this.diskMs = diskMs;
  }

  diskPorts(scheduler: Scheduler, owner: Owner): DiskPorts {
    return {
      random: this.#random,
      wait: () => {
        const stallMs = Math.max(0, this.#stalledUntilMs - scheduler.nowMs);
        return scheduler.wait(stallMs + this.#random.float() * this.diskMs, owner);
      },
      takeFault: () => this.#faults.shift(),
    };
  }

  stall(untilMs: number): void {
    this.#stalledUntilMs = untilMs;
  }

  /** A fault lies ahead, or has struck the process that runs: what it says of its disk is true. */
  hasFaults = false;

  /** The next operations that write fail. */
  fail(fault: DiskFault): void {
    this.hasFaults = true;
    this.#faults = Array.from({ length: 1 + randomInteger(this.#random, 3) }, () => fault);
  }

  /** A new process begins: what struck the one before is over. */
  begin(): void {
    this.hasFaults = this.#faults.length > 0;
  }

  repair(): void {
    this.#faults = [];
    this.#stalledUntilMs = 0;
  }

  crash(): void {
    this.log.crash(this.#random);
    this.snapshots.crash(this.#random);
    this.home.crash(this.#random);
  }

  /** Its disks are replaced by empty ones: what votes from now on is another server. */
  replaceDisks(): void {
    this.log.wipe();
    this.snapshots.wipe();
    this.home.wipe();
    this.nodeId = randomUuid(this.#random);
  }
}
