import type { Target } from './targets/target.ts';

/** One line of the table: a measurement of one target, in one unit. */
export interface Row {
  readonly name: string;
  readonly unit: string;
  /** Whether more is better; the ratio is written so that above 1 is always good for us. */
  readonly better: 'more' | 'less';
  /** The least acceptable ratio, or for absolute goals the most acceptable value. */
  readonly goal: { readonly ratio: number } | { readonly atMost: number };
  /** For what only one target can be asked. */
  readonly only?: Target['name'];
  measure(target: Target): Promise<number>;
}

export interface RowResult {
  readonly row: Row;
  readonly lictor: number;
  readonly consul: number | undefined;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? (sorted[middle] ?? Number.NaN) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

/** Ours against theirs, above 1 is better; undefined without the original. */
export function ratioOf({ row, lictor, consul }: RowResult): number | undefined {
  if (consul === undefined) return undefined;
  return row.better === 'more' ? lictor / consul : consul / lictor;
}

export function meetsGoal(result: RowResult): boolean | undefined {
  if ('atMost' in result.row.goal) return result.lictor <= result.row.goal.atMost;
  const ratio = ratioOf(result);
  return ratio === undefined ? undefined : ratio >= result.row.goal.ratio;
}
