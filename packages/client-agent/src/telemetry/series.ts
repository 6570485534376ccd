import type { MetricLabels } from '@lictor/protocol';

/** One name with one set of labels. */
export interface SeriesId {
  /** Dotted, with the prefix. */
  readonly name: string;
  readonly labels: MetricLabels;
}

const NO_LABELS: MetricLabels = {};
const suffixes = new WeakMap<MetricLabels, string>();

/** A key that is equal for equal name and labels. Label objects that live long (one per route) are only spelt out once. */
export function seriesKey(name: string, labels: MetricLabels | undefined): string {
  if (labels === undefined) return name;
  let suffix = suffixes.get(labels);
  if (suffix === undefined) {
    suffix = Object.keys(labels)
      .sort()
      .map((key) => `;${key}=${labels[key]}`)
      .join('');
    suffixes.set(labels, suffix);
  }
  return name + suffix;
}

export function seriesId(name: string, labels: MetricLabels | undefined): SeriesId {
  return { name, labels: labels ?? NO_LABELS };
}

/** Count, sum and spread of what was measured, without keeping it. */
export class Aggregate {
  count = 0;
  sum = 0;
  min = 0;
  max = 0;
  #sumOfSquares = 0;

  add(value: number): void {
    this.min = this.count === 0 ? value : Math.min(this.min, value);
    this.max = this.count === 0 ? value : Math.max(this.max, value);
    this.count++;
    this.sum += value;
    this.#sumOfSquares += value * value;
  }

  get mean(): number {
    return this.count === 0 ? 0 : this.sum / this.count;
  }

  /** Of the sample, as go-metrics computes it; 0 below two values. */
  get standardDeviation(): number {
    if (this.count < 2) return 0;
    const variance = (this.count * this.#sumOfSquares - this.sum * this.sum) / (this.count * (this.count - 1));
    return Math.sqrt(Math.max(0, variance));
  }
}
