import { readFileSync } from 'node:fs';

/** Where an answer differs from Consul's on purpose or for now. */
export interface Deviation {
  /** Position of the row in the recording, from 0. */
  readonly row: number;
  /** For readers: method and path. */
  readonly request: string;
  readonly reason: string;
}

export interface RowResult {
  readonly row: number;
  readonly group: string;
  readonly request: string;
  readonly differences: readonly string[];
}

export interface Verdict {
  /** Rows that differ and are not listed. */
  readonly unexpected: readonly RowResult[];
  /** Listed rows that no longer differ: take them off the list. */
  readonly fixed: readonly Deviation[];
  readonly same: number;
  readonly listed: number;
}

export function readDeviations(path: URL | string): Deviation[] {
  return JSON.parse(readFileSync(path, 'utf8')) as Deviation[];
}

export function judge(results: readonly RowResult[], deviations: readonly Deviation[]): Verdict {
  const listed = new Map(deviations.map((deviation) => [deviation.row, deviation]));
  const unexpected = results.filter((result) => result.differences.length > 0 && !listed.has(result.row));
  const fixed = results.flatMap((result) => {
    const deviation = listed.get(result.row);
    return deviation !== undefined && result.differences.length === 0 ? [deviation] : [];
  });
  const same = results.filter((result) => result.differences.length === 0).length;
  return { unexpected, fixed, same, listed: results.length - same - unexpected.length };
}
