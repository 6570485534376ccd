import type { MetricLabels } from '@lictor/protocol';
import { Aggregate, type SeriesId, seriesId, seriesKey } from './series.ts';

/** go-metrics' JSON of one interval: what /v1/agent/metrics answers. */
export interface IntervalJson {
  readonly Timestamp: string;
  readonly Gauges: readonly { readonly Name: string; readonly Value: number; readonly Labels: MetricLabels }[];
  readonly Points: readonly never[];
  readonly Counters: readonly SampledJson[];
  readonly Samples: readonly SampledJson[];
}

export interface SampledJson {
  readonly Name: string;
  readonly Count: number;
  /** Sum per second of the interval. */
  readonly Rate: number;
  readonly Sum: number;
  readonly Min: number;
  readonly Max: number;
  readonly Mean: number;
  readonly Stddev: number;
  readonly Labels: MetricLabels;
}

interface Gauge extends SeriesId {
  value: number;
}

interface Sampled extends SeriesId {
  readonly aggregate: Aggregate;
}

/** Distinct series that one interval takes: a bug that makes names from input must not eat the memory. */
const MAX_SERIES = 20_000;

/** What was measured in one interval of 10 s. */
export class Interval {
  readonly startMs: number;
  readonly #gauges = new Map<string, Gauge>();
  readonly #counters = new Map<string, Sampled>();
  readonly #samples = new Map<string, Sampled>();

  constructor(startMs: number) {
    this.startMs = startMs;
  }

  setGauge(name: string, value: number, labels: MetricLabels | undefined): void {
    const key = seriesKey(name, labels);
    const known = this.#gauges.get(key);
    if (known !== undefined) known.value = value;
    else if (this.#gauges.size < MAX_SERIES) this.#gauges.set(key, { ...seriesId(name, labels), value });
  }

  count(name: string, value: number, labels: MetricLabels | undefined): void {
    add(this.#counters, name, value, labels);
  }

  sample(name: string, value: number, labels: MetricLabels | undefined): void {
    add(this.#samples, name, value, labels);
  }

  toJson(lengthMs: number): IntervalJson {
    return {
      Timestamp: goTime(this.startMs),
      Gauges: [...this.#gauges.values()].map(({ name, value, labels }) => ({ Name: name, Value: value, Labels: labels })).sort(byName),
      Points: [],
      Counters: sampledJson(this.#counters, lengthMs),
      Samples: sampledJson(this.#samples, lengthMs),
    };
  }
}

function add(into: Map<string, Sampled>, name: string, value: number, labels: MetricLabels | undefined): void {
  const key = seriesKey(name, labels);
  let known = into.get(key);
  if (known === undefined) {
    if (into.size >= MAX_SERIES) return;
    known = { ...seriesId(name, labels), aggregate: new Aggregate() };
    into.set(key, known);
  }
  known.aggregate.add(value);
}

function sampledJson(series: Map<string, Sampled>, lengthMs: number): SampledJson[] {
  const out = [...series.values()].map(({ name, labels, aggregate }) => ({
    Name: name,
    Count: aggregate.count,
    Rate: aggregate.sum / (lengthMs / 1_000),
    Sum: aggregate.sum,
    Min: aggregate.min,
    Max: aggregate.max,
    Mean: aggregate.mean,
    Stddev: aggregate.standardDeviation,
    Labels: labels,
  }));
  return out.sort(byName);
}

function byName(a: { readonly Name: string }, b: { readonly Name: string }): number {
  return a.Name < b.Name ? -1 : a.Name > b.Name ? 1 : 0;
}

/** Go's `time.Time.String()` of a whole second in UTC. */
function goTime(timeMs: number): string {
  return `${new Date(timeMs).toISOString().slice(0, 19).replace('T', ' ')} +0000 UTC`;
}
