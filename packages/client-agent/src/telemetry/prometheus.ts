import type { MetricLabels } from '@lictor/protocol';
import { type SeriesId, seriesId, seriesKey } from './series.ts';

interface Series extends SeriesId {
  readonly kind: 'gauge' | 'counter' | 'summary';
  value: number;
  count: number;
  lastMs: number;
  /** Recent samples, newest overwriting oldest. */
  readonly recent: { atMs: number; value: number }[];
  next: number;
}

const QUANTILES = [0.5, 0.9, 0.99] as const;
/** Quantiles speak about the last 10 s, as go-metrics' summaries do. */
const WINDOW_MS = 10_000;
const RESERVOIR = 1_024;
const MAX_SERIES = 20_000;

/** Values since the start, in Prometheus' text format 0.0.4. A series that nobody updated for `retentionMs` is dropped. */
export class PrometheusStore {
  readonly #series = new Map<string, Series>();

  setGauge(name: string, value: number, labels: MetricLabels | undefined, nowMs: number): void {
    const series = this.#find('gauge', name, labels, nowMs);
    if (series !== undefined) series.value = value;
  }

  count(name: string, value: number, labels: MetricLabels | undefined, nowMs: number): void {
    const series = this.#find('counter', name, labels, nowMs);
    if (series !== undefined) series.value += value;
  }

  sample(name: string, value: number, labels: MetricLabels | undefined, nowMs: number): void {
    const series = this.#find('summary', name, labels, nowMs);
    if (series === undefined) return;
    series.count++;
    series.value += value;
    series.recent[series.next] = { atMs: nowMs, value };
    series.next = (series.next + 1) % RESERVOIR;
  }

  render(nowMs: number, retentionMs: number): string {
    const byName = new Map<string, Series[]>();
    for (const [key, series] of this.#series) {
      if (nowMs - series.lastMs > retentionMs) {
        this.#series.delete(key);
        continue;
      }
      const name = prometheusName(series.name);
      const group = byName.get(name);
      if (group === undefined) byName.set(name, [series]);
      else if (group[0]?.kind === series.kind) group.push(series);
    }
    const lines: string[] = [];
    for (const name of [...byName.keys()].sort()) lines.push(...renderFamily(name, byName.get(name) ?? [], nowMs));
    return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
  }

  #find(kind: Series['kind'], name: string, labels: MetricLabels | undefined, nowMs: number): Series | undefined {
    const key = seriesKey(name, labels);
    let series = this.#series.get(key);
    if (series === undefined) {
      if (this.#series.size >= MAX_SERIES) return undefined;
      series = { ...seriesId(name, labels), kind, value: 0, count: 0, lastMs: nowMs, recent: [], next: 0 };
      this.#series.set(key, series);
    }
    series.lastMs = nowMs;
    return series;
  }
}

function renderFamily(name: string, group: readonly Series[], nowMs: number): string[] {
  const kind = group[0]?.kind ?? 'gauge';
  const lines = [`# HELP ${name} ${name}`, `# TYPE ${name} ${kind}`];
  for (const series of group) {
    if (kind !== 'summary') {
      lines.push(`${name}${labelText(series.labels)} ${number(series.value)}`);
      continue;
    }
    const values = series.recent.filter(({ atMs }) => nowMs - atMs <= WINDOW_MS).map(({ value }) => value);
    values.sort((a, b) => a - b);
    for (const quantile of QUANTILES) lines.push(`${name}${labelText(series.labels, quantile)} ${number(quantileOf(values, quantile))}`);
    lines.push(`${name}_sum${labelText(series.labels)} ${number(series.value)}`);
    lines.push(`${name}_count${labelText(series.labels)} ${series.count}`);
  }
  return lines;
}

/** Nearest rank; NaN when nothing was measured lately. */
export function quantileOf(sorted: readonly number[], quantile: number): number {
  return sorted[Math.max(0, Math.ceil(quantile * sorted.length) - 1)] ?? Number.NaN;
}

export function prometheusName(name: string): string {
  return name.replace(/[^a-zA-Z0-9_]/g, '_').replace(/^(?=\d)/, '_');
}

function labelText(labels: MetricLabels, quantile?: number): string {
  const pairs = Object.entries(labels).map(([key, value]) => `${prometheusName(key)}="${escapeLabel(value)}"`);
  if (quantile !== undefined) pairs.push(`quantile="${quantile}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escapeLabel(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

function number(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (value === Infinity) return '+Inf';
  return value === -Infinity ? '-Inf' : String(value);
}
