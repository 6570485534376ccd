import type { MetricLabels, Metrics } from '@lictor/protocol';

export interface Metric {
  readonly kind: 'gauge' | 'counter' | 'sample';
  readonly name: string;
  readonly value: number;
  readonly labels: MetricLabels;
}

const MAX_METRICS = 100_000;

/** Keeps everything that is measured for a test to look at. */
export class MemoryMetrics implements Metrics {
  readonly all: Metric[] = [];

  setGauge(name: string, value: number, labels: MetricLabels = {}): void {
    this.#add({ kind: 'gauge', name, value, labels });
  }

  incrCounter(name: string, value = 1, labels: MetricLabels = {}): void {
    this.#add({ kind: 'counter', name, value, labels });
  }

  addSample(name: string, value: number, labels: MetricLabels = {}): void {
    this.#add({ kind: 'sample', name, value, labels });
  }

  of(name: string): readonly Metric[] {
    return this.all.filter((metric) => metric.name === name);
  }

  values(name: string): readonly number[] {
    return this.of(name).map(({ value }) => value);
  }

  sum(name: string): number {
    return this.values(name).reduce((sum, value) => sum + value, 0);
  }

  #add(metric: Metric): void {
    if (this.all.length < MAX_METRICS) this.all.push(metric);
  }
}
