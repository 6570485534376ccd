import type { Clock, MetricLabels, Metrics, Timer } from '@lictor/protocol';
import type { MetricsView } from '../contracts/index.ts';
import { Interval, type IntervalJson } from './interval.ts';
import { createPrefixFilter, type PrefixFilter } from './prefix-filter.ts';
import { PrometheusStore } from './prometheus.ts';

export interface RegistryOptions {
  readonly prefix: string;
  readonly hostname: string;
  /** Gauges carry the hostname unless this is set. */
  readonly disableHostname: boolean;
  readonly prefixFilter: readonly string[];
  readonly filterDefault: boolean;
  /** 0: no Prometheus output, and nothing is kept for it. */
  readonly prometheusRetentionMs: number;
  readonly clock: Clock;
  /** Sees every measurement: statsd. */
  readonly forward?: MetricsForward;
}

export interface MetricsForward {
  gauge(name: string, value: number, labels: MetricLabels | undefined): void;
  count(name: string, value: number, labels: MetricLabels | undefined): void;
  sample(name: string, value: number, labels: MetricLabels | undefined): void;
}

export const INTERVAL_MS = 10_000;
/** One minute (consul-facts M001). */
const KEPT_INTERVALS = 6;

/** The agent's measurements in go-metrics' model: intervals of 10 s, a minute of them kept, and running totals for Prometheus. */
export class MetricsRegistry implements Metrics, MetricsView {
  readonly #options: RegistryOptions;
  readonly #filter: PrefixFilter;
  readonly #prometheus: PrometheusStore | undefined;
  readonly #listeners = new Set<(interval: unknown) => void>();
  readonly #names = new Map<string, string>();
  readonly #gaugeNames = new Map<string, string>();
  #intervals: Interval[];
  #timer: Timer | undefined;

  constructor(options: RegistryOptions) {
    this.#options = options;
    this.#filter = createPrefixFilter(options.prefixFilter, options.filterDefault);
    this.#prometheus = options.prometheusRetentionMs > 0 ? new PrometheusStore() : undefined;
    this.#intervals = [new Interval(intervalStart(options.clock.now()))];
  }

  start(): void {
    const { clock } = this.#options;
    const untilNextMs = INTERVAL_MS - (clock.now() % INTERVAL_MS);
    this.#timer = clock.setTimer(untilNextMs, () => {
      this.#roll();
      this.start();
    });
  }

  stop(): void {
    this.#timer?.cancel();
  }

  setGauge(name: string, value: number, labels?: MetricLabels): void {
    const full = this.#nameOf(name);
    if (full === '') return;
    this.#current.setGauge(this.#gaugeNameOf(name), value, labels);
    this.#prometheus?.setGauge(full, value, labels, this.#options.clock.monotonic());
    this.#options.forward?.gauge(this.#gaugeNameOf(name), value, labels);
  }

  incrCounter(name: string, value = 1, labels?: MetricLabels): void {
    const full = this.#nameOf(name);
    if (full === '') return;
    this.#current.count(full, value, labels);
    this.#prometheus?.count(full, value, labels, this.#options.clock.monotonic());
    this.#options.forward?.count(full, value, labels);
  }

  addSample(name: string, value: number, labels?: MetricLabels): void {
    const full = this.#nameOf(name);
    if (full === '') return;
    this.#current.sample(full, value, labels);
    this.#prometheus?.sample(full, value, labels, this.#options.clock.monotonic());
    this.#options.forward?.sample(full, value, labels);
  }

  /** The last complete interval; in the first ten seconds the one that is being filled. */
  json(): IntervalJson {
    return (this.#intervals.at(-2) ?? this.#current).toJson(INTERVAL_MS);
  }

  prometheus(): string {
    return this.#prometheus?.render(this.#options.clock.monotonic(), this.#options.prometheusRetentionMs) ?? '';
  }

  onInterval(listener: (interval: unknown) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  get #current(): Interval {
    const current = this.#intervals.at(-1);
    if (current !== undefined) return current;
    const first = new Interval(intervalStart(this.#options.clock.now()));
    this.#intervals.push(first);
    return first;
  }

  #roll(): void {
    const finished = this.#current;
    this.#intervals.push(new Interval(intervalStart(this.#options.clock.now())));
    if (this.#intervals.length > KEPT_INTERVALS) this.#intervals = this.#intervals.slice(-KEPT_INTERVALS);
    if (this.#listeners.size === 0) return;
    const json = finished.toJson(INTERVAL_MS);
    for (const listener of this.#listeners) listener(json);
  }

  /** With its prefix; empty when it is filtered out. */
  #nameOf(name: string): string {
    let full = this.#names.get(name);
    if (full === undefined) {
      const prefixed = `${this.#options.prefix}.${name}`;
      full = this.#filter(prefixed) ? prefixed : '';
      this.#names.set(name, full);
    }
    return full;
  }

  #gaugeNameOf(name: string): string {
    if (this.#options.disableHostname) return this.#nameOf(name);
    let full = this.#gaugeNames.get(name);
    if (full === undefined) {
      full = `${this.#options.prefix}.${this.#options.hostname}.${name}`;
      this.#gaugeNames.set(name, full);
    }
    return full;
  }
}

function intervalStart(nowMs: number): number {
  return nowMs - (nowMs % INTERVAL_MS);
}
