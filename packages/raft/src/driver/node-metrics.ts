import type { Clock, Metrics } from '@lictor/protocol';
import type { Role, Status } from '../core/effects.ts';
import type { Entry } from '../core/entry.ts';
import type { Message } from '../core/message.ts';
import { quorumValue } from '../core/quorum.ts';
import type { Raft } from '../core/raft.ts';
import { LogAge } from './log-age.ts';
import { ReplicationMetrics } from './replication-metrics.ts';
import { Saturation } from './saturation.ts';

/** A batch of proposals on its way. */
interface Proposed {
  readonly lastIndex: number;
  readonly atMs: number;
}

/** By type of message: the time that it takes to be handled, without the disk. */
const HANDLED: Partial<Record<Message['type'], string>> = {
  append: 'raft.rpc.appendEntries.processLogs',
  heartbeat: 'raft.rpc.processHeartbeat',
  vote: 'raft.rpc.requestVote',
};

/**
 * What a server tells of itself, under the names that Consul's dashboards and alerts know (telemetry reference, "raft"). Times are in
 * milliseconds and by batch, not by entry.
 */
export class NodeMetrics {
  readonly main: Saturation;
  readonly fsm: Saturation;
  readonly replication: ReplicationMetrics;
  readonly #metrics: Metrics;
  readonly #clock: Clock;
  readonly #heartbeatMs: number;
  readonly #age = new LogAge();
  readonly #proposed: Proposed[] = [];
  #role: Role | undefined;
  #term = 0;
  #candidateSinceMs = 0;
  #reportedMs = -Infinity;

  constructor(clock: Clock, metrics: Metrics, heartbeatMs: number) {
    this.#metrics = metrics;
    this.#clock = clock;
    this.#heartbeatMs = heartbeatMs;
    this.main = new Saturation('raft.thread.main.saturation', clock, metrics);
    this.fsm = new Saturation('raft.thread.fsm.saturation', clock, metrics);
    this.replication = new ReplicationMetrics(clock, metrics);
  }

  proposed(firstIndex: number, count: number): void {
    this.#proposed.push({ lastIndex: firstIndex + count - 1, atMs: this.#clock.monotonic() });
    this.#metrics.incrCounter('raft.apply', count);
  }

  committed(entries: readonly Entry[]): void {
    const through = entries.at(-1)?.index ?? 0;
    this.#metrics.setGauge('raft.commitNumLogs', entries.length);
    if (this.#proposed.length === 0) return;
    const nowMs = this.#clock.monotonic();
    let done = 0;
    for (const { lastIndex, atMs } of this.#proposed) {
      if (lastIndex > through) break;
      this.#metrics.addSample('raft.commitTime', nowMs - atMs);
      done++;
    }
    this.#proposed.splice(0, done);
  }

  /** `waitedMs`: since the oldest of it came up; `tookMs`: of the write alone. */
  written(entries: number, tookMs: number, waitedMs: number, hasAcknowledgement: boolean): void {
    if (this.#role === 'leader') {
      this.#metrics.addSample('raft.leader.dispatchLog', tookMs);
      this.#metrics.setGauge('raft.leader.dispatchNumLogs', entries);
    } else {
      if (entries > 0) this.#metrics.addSample('raft.rpc.appendEntries.storeLogs', tookMs);
      if (hasAcknowledgement) this.#metrics.addSample('raft.rpc.appendEntries', waitedMs);
    }
  }

  handled(type: Message['type'], tookMs: number): void {
    const name = HANDLED[type];
    if (name !== undefined) this.#metrics.addSample(name, tookMs);
  }

  applied(tookMs: number): void {
    this.fsm.add(tookMs);
    this.#metrics.addSample('raft.fsm.apply', tookMs);
  }

  /** From the commit until the state machine came to it. */
  enqueued(waitedMs: number): void {
    this.#metrics.addSample('raft.fsm.enqueue', waitedMs);
  }

  restored(tookMs: number): void {
    this.#metrics.addSample('raft.fsm.restore', tookMs);
    this.#metrics.setGauge('raft.fsm.lastRestoreDuration', tookMs);
  }

  leaderVerified(): void {
    this.#metrics.incrCounter('raft.verify_leader', 1);
  }

  status({ role, term, leader }: Status): void {
    const before = this.#role;
    const isSameTerm = term === this.#term;
    if (!isSameTerm) this.replication.reset();
    if (role !== 'leader') this.#proposed.length = 0;
    this.#term = term;
    if (role === before) return;
    this.#role = role;
    if (role !== 'pre-candidate') this.#metrics.incrCounter(`raft.state.${role}`, 1);
    if (role === 'candidate') this.#candidateSinceMs = this.#clock.monotonic();
    if (before === 'candidate') this.#metrics.addSample('raft.candidate.electSelf', this.#clock.monotonic() - this.#candidateSinceMs);
    if (before === 'follower' && role === 'pre-candidate') this.#metrics.incrCounter('raft.transition.heartbeat_timeout', 1);
    if (before === 'leader' && leader === undefined && isSameTerm) this.#metrics.incrCounter('raft.transition.leader_lease_timeout', 1);
  }

  /** Once a tick: what is reported with each heartbeat, or more seldom. */
  tick(raft: Raft, applied: number, id: string): void {
    this.main.report();
    this.fsm.report();
    const nowMs = this.#clock.monotonic();
    if (nowMs - this.#reportedMs < this.#heartbeatMs) return;
    this.#reportedMs = nowMs;
    this.#metrics.setGauge('raft.applied_index', applied);
    this.#metrics.setGauge('raft.last_index', raft.lastIndex);
    const ageMs = this.#age.at(raft.firstIndex, raft.lastIndex, nowMs);
    if (raft.role !== 'leader') return;
    this.#metrics.setGauge('raft.leader.oldestLogAge', ageMs);
    const { membership, progress } = raft;
    const heardMs = quorumValue(membership, (voter) => (voter === id ? nowMs : (progress.get(voter)?.heardMs ?? nowMs)));
    this.#metrics.addSample('raft.leader.lastContact', nowMs - heardMs);
  }
}
