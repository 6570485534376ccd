import type { MetricLabels, Metrics } from '@lictor/protocol';
import type { RelayCounters } from '../relay/relay.ts';

/** Totals since the listener began; bytes seen from whoever connected: rx from it, tx to it. */
export interface ListenerTotals {
  readonly connections: number;
  readonly active: number;
  readonly rxBytes: number;
  readonly txBytes: number;
  readonly refused: number;
  readonly failed: number;
  readonly protocolErrors: number;
}

/**
 * The counters of one listener (consul-facts M006). Relays count into plain fields; metrics calls are made only at `flush`, to
 * keep them out of every packet's way.
 */
export class ListenerStats {
  readonly name: string;
  readonly labels: MetricLabels;
  readonly #open = new Set<RelayCounters>();
  #connections = 0;
  #refused = 0;
  #failed = 0;
  #protocolErrors = 0;
  #closedRx = 0;
  #closedTx = 0;
  #flushedRx = 0;
  #flushedTx = 0;

  /** `name`: what stands before `.conns`, such as `proxy.web.inbound`. */
  constructor(name: string, labels: MetricLabels) {
    this.name = name;
    this.labels = labels;
  }

  opened(counters: RelayCounters): void {
    this.#connections++;
    this.#open.add(counters);
  }

  closed(counters: RelayCounters): void {
    if (!this.#open.delete(counters)) return;
    this.#closedRx += counters.forward;
    this.#closedTx += counters.backward;
  }

  refused(): void {
    this.#refused++;
  }

  failed(): void {
    this.#failed++;
  }

  /** A peer broke the tunnel's framing. */
  protocolError(): void {
    this.#protocolErrors++;
  }

  totals(): ListenerTotals {
    let rxBytes = this.#closedRx;
    let txBytes = this.#closedTx;
    for (const counters of this.#open) {
      rxBytes += counters.forward;
      txBytes += counters.backward;
    }
    return {
      connections: this.#connections,
      active: this.#open.size,
      rxBytes,
      txBytes,
      refused: this.#refused,
      failed: this.#failed,
      protocolErrors: this.#protocolErrors,
    };
  }

  flush(metrics: Metrics): void {
    const { active, rxBytes, txBytes } = this.totals();
    metrics.setGauge(`${this.name}.conns`, active, this.labels);
    if (rxBytes > this.#flushedRx) metrics.incrCounter(`${this.name}.rx_bytes`, rxBytes - this.#flushedRx, this.labels);
    if (txBytes > this.#flushedTx) metrics.incrCounter(`${this.name}.tx_bytes`, txBytes - this.#flushedTx, this.labels);
    this.#flushedRx = rxBytes;
    this.#flushedTx = txBytes;
  }
}
