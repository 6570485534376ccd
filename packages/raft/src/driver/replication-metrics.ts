import type { Clock, Metrics } from '@lictor/protocol';
import type { NodeId } from '../core/entry.ts';
import type { Message } from '../core/message.ts';

/** One request on its way, by what its answer will say at least; the ones behind it are not timed. */
interface Timed {
  readonly mark: number;
  readonly sentMs: number;
}

/** How long followers take, as a leader sees it. Labels are ids of members. */
export class ReplicationMetrics {
  readonly #clock: Clock;
  readonly #metrics: Metrics;
  readonly #appends = new Map<NodeId, Timed>();
  readonly #heartbeats = new Map<NodeId, Timed>();

  constructor(clock: Clock, metrics: Metrics) {
    this.#clock = clock;
    this.#metrics = metrics;
  }

  sent(message: Message): void {
    const { to } = message;
    if (message.type === 'heartbeat') this.#time(this.#heartbeats, to, message.round);
    if (message.type !== 'append' || message.entries.length === 0) return;
    this.#time(this.#appends, to, message.prevIndex + message.entries.length);
    this.#metrics.incrCounter('raft.replication.appendEntries.logs', message.entries.length, { peer_id: to });
  }

  received(message: Message): void {
    if (message.type === 'heartbeat-reply') this.#answered('raft.replication.heartbeat', this.#heartbeats, message.from, message.round);
    if (message.type !== 'append-reply') return;
    if (message.rejected) this.#appends.delete(message.from);
    else this.#answered('raft.replication.appendEntries.rpc', this.#appends, message.from, message.index);
  }

  /** Another term: what is out will not be answered. */
  reset(): void {
    this.#appends.clear();
    this.#heartbeats.clear();
  }

  #time(timed: Map<NodeId, Timed>, to: NodeId, mark: number): void {
    if (!timed.has(to)) timed.set(to, { mark, sentMs: this.#clock.monotonic() });
  }

  #answered(name: string, timed: Map<NodeId, Timed>, from: NodeId, mark: number): void {
    const first = timed.get(from);
    if (first === undefined || mark < first.mark) return;
    timed.delete(from);
    this.#metrics.addSample(name, this.#clock.monotonic() - first.sentMs, { peer_id: from });
  }
}
