import type { Caller } from './clients/caller.ts';
import { type Cluster, ELECTION_TIMEOUT_MS } from './cluster/cluster.ts';
import type { Operator } from './cluster/operator.ts';
import type { ServerProcess } from './cluster/process.ts';
import type { Observers } from './observers/observers.ts';
import type { Scheduler } from './time/scheduler.ts';
import { Violation } from './violation.ts';

export interface HealingPorts {
  readonly cluster: Cluster;
  readonly operator: Operator;
  readonly scheduler: Scheduler;
  readonly caller: Caller;
  readonly observers: Observers;
  readonly refusedValues: ReadonlySet<string>;
}

/** A server that starts first, or is just starting anew. */
const START_MS = 6000;
const LEADER_WITHIN_MS = 10 * ELECTION_TIMEOUT_MS;
/** The longest TTL twice, and another try. */
const SESSIONS_END_WITHIN_MS = 40_000;
const CONVERGED_WITHIN_MS = 60_000;

/** After the storm: a leader, an answer for everybody who waits, one state everywhere. */
export class Healing {
  readonly #ports: HealingPorts;

  constructor(ports: HealingPorts) {
    this.#ports = ports;
  }

  /** @throws Violation */
  async run(): Promise<void> {
    const { cluster, caller } = this.#ports;
    await this.#until(() => cluster.leader !== undefined, START_MS + LEADER_WITHIN_MS, 'there is a leader');
    await this.#until(
      () => this.#isAnswered(),
      60_000,
      'everybody is answered',
      () => [...caller.pending].map(({ process, method, sinceMs }) => `${method} at ${process.machine.name} since ${sinceMs}`).join('; '),
    );
    await this.#until(
      () => this.#isConverged(),
      CONVERGED_WITHIN_MS,
      'all servers have the same state',
      () => this.#describe(),
    );
    await this.#askEverybody();
    await this.#until(() => !this.#hasDyingSessions(), SESSIONS_END_WITHIN_MS, 'sessions that nobody renews end');
    await this.#until(
      () => this.#isConverged(),
      CONVERGED_WITHIN_MS,
      'all servers have the same state',
      () => this.#describe(),
    );
    this.#checkAcknowledged();
  }

  async #until(isSo: () => boolean, withinMs: number, what: string, describe: () => string = () => this.#describe()): Promise<void> {
    const { scheduler } = this.#ports;
    const endMs = scheduler.nowMs + withinMs;
    while (!isSo()) {
      if (scheduler.nowMs >= endMs) throw new Violation(`not within ${withinMs} ms after the storm: ${what}: ${describe()}`);
      await scheduler.run(scheduler.nowMs + 100);
    }
  }

  /** Every server takes writes and answers reads of each kind now, whoever leads. */
  async #askEverybody(): Promise<void> {
    const { caller } = this.#ports;
    const failures: string[] = [];
    for (const process of this.#members()) {
      const noteFailure = (answer: { readonly kind: string; readonly code?: string }): void => {
        if (answer.kind !== 'ok') failures.push(`${process.machine.name}: ${answer.kind} ${answer.code ?? ''}`);
      };
      const hooks = { withinMs: 10_000, after: noteFailure };
      const entry = { Key: 'calm', Value: Buffer.from(process.nodeId), Flags: 0, Session: '', ModifyIndex: 0 };
      void caller.call(process, 'KVS.Apply', { operation: 'set', entry }, {}, hooks);
      for (const consistency of ['default', 'consistent', 'stale'] as const) {
        void caller.call(process, 'KVS.Get', { key: 'calm' }, { query: { consistency } }, hooks);
      }
    }
    await this.#until(
      () => this.#isAnswered(),
      10_000,
      'everybody is answered',
      () => 'in the calm',
    );
    if (failures.length > 0) throw new Violation(`calls fail though nothing is wrong: ${failures.join('; ')}: ${this.#describe()}`);
  }

  /** Calls of servers that have died meanwhile are over. */
  #isAnswered(): boolean {
    return this.#ports.caller.pending.size === 0;
  }

  #members(): readonly ServerProcess[] {
    const { cluster } = this.#ports;
    const members = cluster.leader?.server.consensus.configuration().Servers.map(({ ID }) => ID) ?? [];
    return cluster.running.filter(({ nodeId }) => members.includes(nodeId));
  }

  #isConverged(): boolean {
    const { cluster, operator, observers } = this.#ports;
    const { leader } = cluster;
    if (leader === undefined || !operator.isAtEase) return false;
    const { stateIndex } = observers.reference;
    const { lastLogIndex } = leader.server.consensus.stats();
    return this.#members().every(
      ({ server }) => server.store.appliedIndex === stateIndex && server.consensus.stats().appliedIndex === lastLogIndex,
    );
  }

  /** A restore can bring back a session whose timer nobody keeps before the next leader. */
  #hasDyingSessions(): boolean {
    const { reference } = this.#ports.observers;
    if (reference.history.restores.length > 0) return false;
    return reference.liveSessionsWithTtl() > 0;
  }

  #checkAcknowledged(): void {
    const { observers, refusedValues } = this.#ports;
    const { reference, answers } = observers;
    if (reference.stateIndex < answers.acknowledged)
      throw new Violation(`durability: the state ends at ${reference.stateIndex}, and ${answers.acknowledged} was acknowledged`);
    for (const value of refusedValues) {
      const index = reference.writtenAt(value);
      if (index !== undefined) throw new Violation(`outcome: ${value} was refused, and entry ${index} has written it`);
    }
    for (const { machine, server } of this.#members()) observers.checkFinal(machine.name, server.store);
  }

  #describe(): string {
    const { cluster, observers } = this.#ports;
    const states = cluster.running.map(({ machine, nodeId, server, isUp, hasFailed }) => {
      const { consensus, store } = server;
      const { state, term, lastLogIndex, commitIndex, appliedIndex } = consensus.stats();
      const flags = `${isUp ? '' : ' not up'}${hasFailed ? ' failed' : ''}`;
      const log = `${state} term ${term} last ${lastLogIndex} commit ${commitIndex} applied ${appliedIndex} state ${store.appliedIndex}`;
      const members = consensus.configuration().Servers.map(({ ID, Voter }) => `${ID.slice(0, 8)}${Voter ? '' : ' (learner)'}`);
      return `${machine.name} ${nodeId.slice(0, 8)}${flags} ${log} members ${members.join(', ')}`;
    });
    return `${states.join('; ')}; reference ${observers.reference.stateIndex}; destroyed ${cluster.destroyed.size}`;
  }
}
