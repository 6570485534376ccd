import type { Random } from '@lictor/protocol';
import { seededRandom } from '@lictor/protocol/testing';
import { Caller } from './clients/caller.ts';
import { KEYS, KvClient } from './clients/kv-client.ts';
import { LockClient } from './clients/lock-client.ts';
import { registerClientNode } from './clients/registration.ts';
import { Watcher } from './clients/watcher.ts';
import type { ClientWorld, Counts } from './clients/world.ts';
import { Cluster, ELECTION_TIMEOUT_MS } from './cluster/cluster.ts';
import { Operator } from './cluster/operator.ts';
import type { ServerProcess } from './cluster/process.ts';
import { Faults } from './faults.ts';
import { Healing } from './healing.ts';
import { Links } from './network/links.ts';
import { rpcAddressOf, type VirtualNetwork } from './network/virtual-network.ts';
import { Observers } from './observers/observers.ts';
import { Restores } from './restores.ts';
import { Scheduler } from './time/scheduler.ts';
import { virtualTurns } from './time/event-loop.ts';
import { Trace } from './time/trace.ts';
import { Violation } from './violation.ts';
import { forecast, type Weather } from './weather.ts';

export interface SimulationOptions {
  readonly seed: number;
  readonly weather?: Partial<Weather>;
  /** Prints everything that happens. */
  readonly print?: (line: string) => void;
}

export interface SimulationResult extends Counts {
  readonly seed: number;
  readonly virtualMs: number;
  readonly events: number;
  readonly commands: number;
  readonly elections: number;
  readonly crashes: number;
  readonly starts: number;
  readonly membershipChanges: number;
  readonly restores: number;
  /** Hash of everything that happened: same seed, same trace. */
  readonly trace: string;
}

/** A failed run: what was violated, and the last that happened before. */
export class FailedSimulation extends Error {
  override readonly name = 'FailedSimulation';
  readonly seed: number;
  readonly events: readonly string[];

  constructor(seed: number, cause: Error, events: readonly string[]) {
    super(`seed ${seed}: ${cause.message}`, { cause });
    this.seed = seed;
    this.events = events;
  }
}

const EVENTS_SHOWN = 60;
/** Beyond what a call may take. */
const LATE_MS = 50;

/** Whole servers in virtual time, from one seed: first a storm, in which promises are kept, then calm, in which everybody is answered. */
export class Simulation {
  readonly #seed: number;
  readonly #random: Random;
  readonly #weather: Weather;
  readonly #scheduler: Scheduler;
  readonly #links: Links;
  readonly #observers: Observers;
  readonly #cluster: Cluster;
  readonly #operator: Operator;
  readonly #faults: Faults;
  readonly #restores: Restores;
  readonly #caller: Caller;
  readonly #world: ClientWorld;

  constructor({ seed, weather, print }: SimulationOptions) {
    this.#seed = seed;
    this.#random = seededRandom(seed);
    this.#weather = { ...forecast(this.#random), ...weather };
    this.#scheduler = new Scheduler(new Trace(print));
    this.#links = new Links(this.#random);
    const scheduler = this.#scheduler;
    const random = this.#random;
    const report = (what: string): void => this.#report(what);
    this.#observers = new Observers(scheduler, report, (host) => this.#elected(host.nodeId));
    const seeds = Array.from({ length: this.#weather.servers }, (_, position) => rpcAddressOf(position + 1));
    const network: VirtualNetwork = { scheduler, random, links: this.#links, observer: this.#observers.raft, seeds, hosts: new Map() };
    this.#cluster = new Cluster(
      this.#weather,
      network,
      random,
      {
        network,
        random,
        logger: this.#observers.logger((name) => this.#cluster.running.find(({ machine }) => machine.name === name)),
        watchLog: (process, log) => this.#observers.logs.watch(process.nodeId, process.machine.name, () => process.isDead, log),
      },
      { created: (process) => this.#observers.created(process), pausing: (process) => this.#askPaused(process), report },
    );
    this.#operator = new Operator(this.#cluster, scheduler, random);
    this.#caller = new Caller(scheduler, ({ process, method, sinceMs, dueMs }, tookMs) => {
      const allowedMs = dueMs - sinceMs + this.#cluster.pausedSince(process, sinceMs) + LATE_MS;
      if (tookMs > allowedMs) report(`late: ${method} at ${process.machine.name} took ${tookMs} ms instead of ${allowedMs} at most`);
    });
    this.#restores = new Restores(scheduler, random, this.#observers.answers);
    this.#faults = new Faults({
      cluster: this.#cluster,
      operator: this.#operator,
      links: this.#links,
      scheduler,
      random,
      weather: this.#weather,
      restore: (leader) => this.#restores.restore(leader),
    });
    this.#world = this.#createWorld();
  }

  /** @throws FailedSimulation */
  async run(): Promise<SimulationResult> {
    const onRejection = (reason: unknown): void =>
      this.#report(`nobody handles a rejection: ${reason instanceof Error ? (reason.stack ?? reason.message) : String(reason)}`);
    process.on('unhandledRejection', onRejection);
    const scheduler = this.#scheduler;
    // Refusals are many, and nobody looks at where they come from.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    virtualTurns(() => scheduler.wait(this.#random.float(), scheduler.current));
    try {
      await this.#storm();
      await new Healing({
        cluster: this.#cluster,
        operator: this.#operator,
        scheduler,
        caller: this.#caller,
        observers: this.#observers,
        refusedValues: this.#world.refusedValues,
      }).run();
      return this.#result();
    } catch (thrown) {
      const cause = thrown instanceof Error ? thrown : new Error(String(thrown));
      throw new FailedSimulation(this.#seed, cause, scheduler.trace.last(EVENTS_SHOWN));
    } finally {
      process.off('unhandledRejection', onRejection);
      virtualTurns(undefined);
      Error.stackTraceLimit = stackTraceLimit;
    }
  }

  async #storm(): Promise<void> {
    const { servers, newcomers, links, faultEveryMs, operatorEveryMs, stormMs, hasMembershipChanges } = this.#weather;
    const some = (averageMs: number) => (): number => averageMs * (0.2 + this.#random.float() * 1.6);
    this.#links.weather = links;
    for (let count = 0; count < servers; count++)
      this.#scheduler.at(this.#random.float() * 500, undefined, () => this.#cluster.start(machine(count)));
    const machines = Array.from({ length: servers + newcomers }, () => this.#cluster.addMachine());
    const machine = (position: number) => machines[position] ?? this.#cluster.addMachine();
    for (const newcomer of machines.slice(servers))
      this.#scheduler.at(5000 * this.#random.float(), undefined, () => this.#cluster.start(newcomer));
    this.#startClients();
    // The cluster is to form first, mostly.
    this.#scheduler.at(this.#random.float() < 0.3 ? 0 : 2500, undefined, () => {
      this.#scheduler.every(some(faultEveryMs), () => this.#faults.strike());
      this.#scheduler.every(some(operatorEveryMs), () => this.#operator.act(hasMembershipChanges && !this.#faults.isOver));
    });
    this.#scheduler.every(
      () => 300,
      () => this.#restartFailed(),
    );
    await this.#scheduler.run(stormMs);
    this.#scheduler.note('the storm is over');
    this.#links.weather = { delayMs: 2, slowDelayMs: 5, lossRate: 0, isOrdered: true, breakRate: 0 };
    this.#world.isOver = true;
    this.#faults.end();
  }

  #startClients(): void {
    const { kvClients, lockClients, watchers } = this.#weather;
    void registerClientNode(this.#world);
    for (let count = 0; count < kvClients; count++) void new KvClient(this.#world).run();
    for (let count = 0; count < lockClients; count++) void new LockClient(this.#world).run();
    for (let count = 0; count < watchers; count++) void new Watcher(this.#world).run();
  }

  /** Whoever asks a leader that stands still is answered when it goes on: before it looks at its clock, or after. */
  #askPaused(process: ServerProcess): void {
    if (this.#world.isOver || this.#cluster.leader !== process) return;
    for (const key of KEYS) void new KvClient(this.#world).read(process, key);
  }

  /** A supervisor: a server whose log has failed is started anew. */
  #restartFailed(): void {
    for (const process of this.#cluster.running) {
      if (!process.hasFailed || process.isStopping) continue;
      if (this.#random.float() < 0.5 && process.isUp) {
        this.#cluster.stop(process);
      } else {
        this.#cluster.kill(process);
        this.#cluster.restartLater(process.machine);
      }
    }
  }

  #elected(nodeId: string): void {
    const process = this.#cluster.running.find((each) => each.nodeId === nodeId);
    if (process !== undefined) this.#faults.troubleLeader(process);
  }

  #createWorld(): ClientWorld {
    let value = 0;
    return {
      scheduler: this.#scheduler,
      random: this.#random,
      caller: this.#caller,
      reference: this.#observers.reference,
      answers: this.#observers.answers,
      counts: { operations: 0, acknowledgedWrites: 0, reads: 0, blockingReads: 0, locks: 0, sessions: 0 },
      servers: () => this.#cluster.up,
      report: (what) => this.#report(what),
      pausedSince: (process: ServerProcess, sinceMs) => this.#cluster.pausedSince(process, sinceMs),
      heardLeaderAgoMs: (process) => this.#observers.heardLeaderAgoMs(process),
      refusedValues: new Set(),
      thinkMs: this.#weather.thinkMs,
      isOver: false,
      nextValue: () => `v${++value}`,
    };
  }

  #report(what: string): void {
    if (this.#scheduler.failure !== undefined) return;
    this.#scheduler.note('VIOLATION', what);
    this.#scheduler.failure = new Violation(what);
  }

  #result(): SimulationResult {
    const { nowMs, events, trace } = this.#scheduler;
    const { reference, elections } = this.#observers;
    const { crashes, starts } = this.#cluster;
    return {
      seed: this.#seed,
      ...this.#world.counts,
      virtualMs: nowMs,
      events,
      commands: reference.commands,
      elections,
      crashes,
      starts,
      membershipChanges: this.#operator.changes,
      restores: reference.history.restores.length,
      trace: trace.hash,
    };
  }
}

export { ELECTION_TIMEOUT_MS };
