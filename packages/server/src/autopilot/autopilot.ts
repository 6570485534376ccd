import type { AutopilotFields, AutopilotState, Clock, Logger, Metrics, RaftStats, Timer } from '@lictor/protocol';
import type { ServerDirectory } from '../cluster/directory.ts';
import type { Consensus } from '../consensus/port.ts';
import { AUTOPILOT_SET_CONFIG, type SetAutopilotBody } from '../fsm/commands/autopilot.ts';
import type { LeaderDuty } from '../leader/duty.ts';
import { RetriedStep } from '../leader/retried-step.ts';
import { AUTOPILOT_KEY, autopilotTable } from '../state/tables/autopilot.ts';
import { nodeKey, nodesTable } from '../state/tables/nodes.ts';
import type { StateReader } from '../state/types.ts';
import { decideChanges, REMOVED_HOLD_MS } from './changes.ts';
import { makeChange } from './make-change.ts';
import { Probes, type ProbeTarget } from './probes.ts';
import { toState } from './state.ts';
import { track } from './track.ts';
import type { Decision, LogEnd, Observation, TrackedServer } from './types.ts';

/** consul-facts T018. */
const RECONCILE_INTERVAL_MS = 10_000;
/** consul-facts T013: 100 ms, five times. */
const DEFAULT_HEARTBEAT_MS = 500;

export interface AutopilotConfig {
  readonly nodeId: string;
  /** The agent's own, which counts until the cluster has one. */
  readonly initial: AutopilotFields;
  /** How often a leader is heard at least when all is well. Default: that of the default raft_multiplier. */
  readonly heartbeatMs?: number;
}

export interface AutopilotPorts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly consensus: Consensus;
  readonly directory: ServerDirectory;
  readonly reader: () => StateReader;
  readonly propose: (type: string, body: unknown) => Promise<unknown>;
  /** Asks another server for its `Status.RaftStats`. Rejections and late answers are taken for silence; `signal` aborts when it is late. */
  readonly fetchStats: (server: ProbeTarget, signal: AbortSignal) => Promise<RaftStats>;
}

/**
 * Looks after the group of servers. Every server watches the others; as a leader's duty, between `start` and `stop`, it also changes
 * Raft's membership.
 */
export interface Autopilot extends LeaderDuty {
  /** Begins to watch, leader or not: whoever comes to lead knows already who is healthy. */
  watch(): void;
  /** For good. */
  close(): void;
  /** As of now. */
  state(): AutopilotState;
  /** An operator has taken a server out: it is not to come back at once. */
  noteRemoved(id: string): void;
}

export function createAutopilot(config: AutopilotConfig, ports: AutopilotPorts): Autopilot {
  return new Pilot(config, ports);
}

class Pilot implements Autopilot {
  readonly #config: AutopilotConfig;
  readonly #ports: AutopilotPorts;
  readonly #probes: Probes;
  readonly #firstConfig: RetriedStep;
  readonly #removedAtMs = new Map<string, number>();
  #tracked: readonly TrackedServer[] = [];
  #watchingSinceMs: number | undefined;
  #isWatching = false;
  #isLeading = false;
  /** Counts starts and stops: a round that was overtaken must change nothing more. */
  #generation = 0;
  #isReconciling = false;
  #mustReconcileAgain = false;
  #timer: Timer | undefined;
  #unsubscribe = (): void => undefined;

  constructor(config: AutopilotConfig, ports: AutopilotPorts) {
    this.#config = config;
    this.#ports = ports;
    const { clock, logger, fetchStats } = ports;
    this.#probes = new Probes({ clock, logger, fetchStats, targets: () => this.#targets(), leaderEnd: () => this.#leaderEnd() }, () =>
      this.#afterProbes(),
    );
    this.#firstConfig = new RetriedStep('writing the first autopilot configuration', () => this.#writeFirstConfig(), ports);
  }

  watch(): void {
    this.#isWatching = true;
    this.#startProbes();
  }

  async start(): Promise<void> {
    if (this.#isLeading) return;
    this.#isLeading = true;
    this.#generation++;
    this.#startProbes();
    this.#unsubscribe = this.#ports.directory.onChange(() => void this.#reconcile());
    await this.#firstConfig.start();
    if (!this.#isLeading) return;
    this.#arm();
    void this.#reconcile();
  }

  stop(): void {
    this.#isLeading = false;
    this.#generation++;
    this.#unsubscribe();
    this.#timer?.cancel();
    this.#firstConfig.stop();
    // Another leader may take such a server back sooner. That is early, not wrong: it comes as a learner, out of a committed configuration.
    this.#removedAtMs.clear();
    if (!this.#isWatching) this.#probes.stop();
  }

  close(): void {
    this.#isWatching = false;
    this.stop();
  }

  state(): AutopilotState {
    return toState(this.#look().tracked);
  }

  noteRemoved(id: string): void {
    this.#removedAtMs.set(id, this.#ports.clock.monotonic());
  }

  #startProbes(): void {
    this.#watchingSinceMs ??= this.#ports.clock.monotonic();
    this.#probes.start();
  }

  #arm(): void {
    this.#timer?.cancel();
    this.#timer = this.#ports.clock.setTimer(RECONCILE_INTERVAL_MS, () => {
      this.#arm();
      void this.#reconcile();
    });
  }

  #afterProbes(): void {
    const decision = this.#look();
    const state = toState(decision.tracked);
    this.#ports.metrics.setGauge('autopilot.healthy', state.Healthy ? 1 : 0);
    this.#ports.metrics.setGauge('autopilot.failure_tolerance', state.FailureTolerance);
    // A server that has earned its vote gets it now: until then the cluster bears one failure less.
    if (this.#isLeading && decideChanges(decision).some(({ kind }) => kind === 'promote')) void this.#reconcile();
  }

  async #reconcile(): Promise<void> {
    if (this.#isReconciling) {
      this.#mustReconcileAgain = true;
      return;
    }
    this.#isReconciling = true;
    try {
      do {
        this.#mustReconcileAgain = false;
        await this.#makeChanges();
      } while (this.#mustReconcileAgain && this.#isLeading);
    } finally {
      this.#isReconciling = false;
    }
  }

  /** One after the other; after a failure the rest waits for the next round, which sees what has become of it. */
  async #makeChanges(): Promise<void> {
    const own = this.#generation;
    const isCurrent = (): boolean => this.#isLeading && this.#generation === own && this.#ports.consensus.isLeader;
    if (!isCurrent()) return;
    for (const change of decideChanges(this.#look())) {
      if (!isCurrent()) return;
      try {
        await makeChange(change, this.#ports);
      } catch (error) {
        this.#ports.logger.error('a change of the servers failed', { ...change, error });
        return;
      }
    }
  }

  #look(): Decision {
    const observation = this.#observe();
    this.#tracked = track(this.#tracked, observation);
    for (const [id, atMs] of this.#removedAtMs) if (observation.nowMs - atMs >= REMOVED_HOLD_MS) this.#removedAtMs.delete(id);
    return {
      ...observation,
      tracked: this.#tracked,
      watchingSinceMs: this.#watchingSinceMs ?? observation.nowMs,
      removedAtMs: this.#removedAtMs,
    };
  }

  #observe(): Observation {
    const { clock, consensus, directory, reader } = this.#ports;
    const { nodeId, initial, heartbeatMs = DEFAULT_HEARTBEAT_MS } = this.#config;
    const state = reader();
    const nowMs = clock.monotonic();
    const own = { stats: consensus.stats(), takenMs: nowMs, leaderEnd: this.#leaderEnd() };
    return {
      nowMs,
      wallMs: clock.now(),
      selfId: nodeId,
      config: state.peek(autopilotTable, AUTOPILOT_KEY) ?? initial,
      heartbeatMs,
      raft: consensus.configuration().Servers,
      members: directory.members(),
      samples: new Map([...this.#probes.samples, [nodeId, own]]),
      metaOf: (name) => state.peek(nodesTable, nodeKey(name))?.Meta ?? null,
    };
  }

  #leaderEnd(): LogEnd | undefined {
    const { consensus } = this.#ports;
    const stats = consensus.isLeader ? consensus.stats() : this.#probes.samples.get(consensus.leaderId)?.stats;
    return stats === undefined ? undefined : { index: stats.lastLogIndex, term: stats.lastLogTerm };
  }

  #targets(): readonly ProbeTarget[] {
    const targets = new Map<string, ProbeTarget>();
    for (const { ID: id, Node: name, Address: rpcAddress } of this.#ports.consensus.configuration().Servers) {
      targets.set(id, { id, name, rpcAddress });
    }
    for (const { id, name, rpcAddress, status } of this.#ports.directory.members()) {
      if (targets.has(id) || status === 'alive') targets.set(id, { id, name, rpcAddress });
    }
    targets.delete(this.#config.nodeId);
    return [...targets.values()];
  }

  async #writeFirstConfig(): Promise<void> {
    if (this.#ports.reader().peek(autopilotTable, AUTOPILOT_KEY) !== undefined) return;
    const body: SetAutopilotBody = { config: this.#config.initial, ifAbsent: true };
    await this.#ports.propose(AUTOPILOT_SET_CONFIG, body);
  }
}
