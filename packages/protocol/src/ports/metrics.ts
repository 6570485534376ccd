/** Labels of a metric; values come from bounded sets only, never from a peer's free text. */
export type MetricLabels = Readonly<Record<string, string>>;

/**
 * Metrics in go-metrics' model, as a port. Names are Consul's, dotted, without the `consul` prefix: `raft.apply`,
 * `api.http`.
 */
export interface Metrics {
  setGauge(name: string, value: number, labels?: MetricLabels): void;
  incrCounter(name: string, value?: number, labels?: MetricLabels): void;
  /** Durations are samples in milliseconds. */
  addSample(name: string, value: number, labels?: MetricLabels): void;
}

const nothing = (): void => undefined;

/** Drops everything. */
export const silentMetrics: Metrics = { setGauge: nothing, incrCounter: nothing, addSample: nothing };
