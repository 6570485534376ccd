import type { RecordedRow } from '../replay/recorded.ts';

/** One request, sent to both agents at the same time. */
export interface Step {
  readonly group: string;
  readonly method: string;
  /** `{{name}}` in path, body or header stands for what an earlier answer of the same agent gave. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is sent as JSON, a string as it is. */
  readonly body?: unknown;
  /** Name -> where in the answer's JSON its value is: `ID`, `0.ModifyIndex`. */
  readonly save?: Readonly<Record<string, string>>;
  /** Both catalogs must first hold what their agents hold: anti-entropy takes a moment, and not the same in both. */
  readonly settled?: boolean;
  /** The lists of the answer are ordered by random ids. */
  readonly unordered?: boolean;
  /** What real Consul 1.21 answered, where it was recorded. */
  readonly recorded?: RecordedRow;
}

/** One place where the two answers differ. */
export interface Difference {
  /** `status`, `header NAME`, `text`, or `$.a.b[0]` for JSON. */
  readonly path: string;
  /** Shown as `path: Lictor OURS, Consul THEIRS`. */
  readonly ours: string;
  readonly theirs: string;
}

export function describeDifference({ path, ours, theirs }: Difference): string {
  return `${path}: Lictor ${ours}, Consul ${theirs}`;
}
