/** One look at a process. */
export interface Sample {
  /** Since the soak began. */
  readonly atMs: number;
  readonly rssMib: number;
  readonly handles: number;
  /** Of what a collection has left; absent until the process has told. */
  readonly heapMib?: number;
  readonly timers?: number;
  readonly loopP99Ms?: number;
}

export const GROWING = ['rssMib', 'heapMib', 'handles', 'timers'] as const;
export type Growing = (typeof GROWING)[number];

export interface Trend {
  readonly first: number;
  readonly last: number;
  /** By linear regression after the warm-up. */
  readonly perHour: number;
  readonly isGrowing: boolean;
}

export interface Verdict {
  /** The process and its life: a program that was started again is another. */
  readonly life: string;
  readonly minutes: number;
  readonly trends: Readonly<Partial<Record<Growing, Trend>>>;
  readonly loopP99Ms: number;
  /** Too short to say anything. */
  readonly isTooShort: boolean;
}

/**
 * More than this, over the time that is looked at, is growth; less is noise, or a follower that becomes leader: sessions have timers then, and
 * Node takes pages that it does not give back. The larger of both counts.
 */
const TOLERANCE: Readonly<Record<Growing, { readonly amount: number; readonly part: number }>> = {
  rssMib: { amount: 48, part: 0.3 },
  heapMib: { amount: 4, part: 0.1 },
  handles: { amount: 20, part: 0.15 },
  timers: { amount: 100, part: 0.15 },
};
const MIN_SAMPLES = 9;
const HOUR_MS = 3_600_000;

/**
 * Whether a process grows without end. What it takes to warm up is left out: caches fill, code is compiled, logs come to their length.
 * It grows when both hold: the regression over what is left rises by more than the tolerance, and its last third still lies above the
 * one before by a third of that: what has reached a plateau does not.
 */
export function judge(life: string, samples: readonly Sample[], warmUpMs: number): Verdict {
  const startMs = samples[0]?.atMs ?? 0;
  const lastMs = samples.at(-1)?.atMs ?? 0;
  const settled = samples.filter(({ atMs }) => atMs - startMs >= warmUpMs);
  const trends: Partial<Record<Growing, Trend>> = {};
  for (const what of GROWING) {
    const points = settled.flatMap(({ atMs, [what]: value }): Point[] => (value === undefined ? [] : [{ atMs, value }]));
    if (points.length >= MIN_SAMPLES) trends[what] = trendOf(points, TOLERANCE[what]);
  }
  return {
    life,
    minutes: (lastMs - startMs) / 60_000,
    trends,
    loopP99Ms: medianOf(settled.flatMap(({ loopP99Ms }) => loopP99Ms ?? [])),
    isTooShort: Object.keys(trends).length === 0,
  };
}

export function hasGrown({ trends }: Verdict): boolean {
  return Object.values(trends).some(({ isGrowing }) => isGrowing);
}

interface Point {
  readonly atMs: number;
  readonly value: number;
}

function trendOf(points: readonly Point[], { amount, part }: { readonly amount: number; readonly part: number }): Trend {
  const third = Math.floor(points.length / 3);
  const [first, middle, last] = [points.slice(0, third), points.slice(third, -third), points.slice(-third)].map((each) =>
    medianOf(each.map(({ value }) => value)),
  ) as [number, number, number];
  const perMs = slopeOf(points);
  const spanMs = (points.at(-1)?.atMs ?? 0) - (points[0]?.atMs ?? 0);
  const tolerance = Math.max(amount, part * first);
  return { first, last, perHour: perMs * HOUR_MS, isGrowing: perMs * spanMs > tolerance && last - middle > tolerance / 3 };
}

/** Least squares. */
function slopeOf(points: readonly Point[]): number {
  const meanAt = points.reduce((sum, { atMs }) => sum + atMs, 0) / points.length;
  const mean = points.reduce((sum, { value }) => sum + value, 0) / points.length;
  let [covariance, variance] = [0, 0];
  for (const { atMs, value } of points) {
    covariance += (atMs - meanAt) * (value - mean);
    variance += (atMs - meanAt) ** 2;
  }
  return variance === 0 ? 0 : covariance / variance;
}

function medianOf(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[values.length >> 1] ?? Number.NaN;
}
