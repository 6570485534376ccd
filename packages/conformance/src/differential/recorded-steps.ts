import { compareRow } from '../replay/compare-row.ts';
import type { Answer } from '../replay/exchange.ts';
import { readRecorded } from '../replay/recorded.ts';
import { RECORDED_HTTP } from '../replay-http.ts';
import type { Difference, Step } from './step.ts';

/** A recorded request that is not asked here. */
export interface Exclusion {
  /** Pattern of `METHOD path {"headers":..., "body":...}`. */
  readonly request: string;
  readonly reason: string;
}

/** Groups that read the catalog. */
const SETTLED = new Set(['catalog', 'health']);

/** Lists that Consul makes of a map, or orders by random ids. */
const UNORDERED = /^\/v1\/(agent\/health|catalog\/services|session\/(list|node))/;

/** The requests of the 1.21 recording, less those that 1.8.7 cannot be asked. */
export function recordedSteps(exclusions: readonly Exclusion[]): Step[] {
  const patterns = exclusions.map(({ request }) => new RegExp(request));
  return readRecorded(RECORDED_HTTP).flatMap((row) => {
    const { method, path, headers, body } = row.request;
    if (patterns.some((pattern) => pattern.test(`${method} ${path} ${JSON.stringify({ headers, body })}`))) return [];
    return [
      {
        group: row.group,
        method,
        path,
        ...(headers === undefined ? {} : { headers }),
        body,
        unordered: UNORDERED.test(path),
        recorded: row,
        settled: SETTLED.has(row.group),
      },
    ];
  });
}

/** Where the recording of 1.21 says what Lictor says and not what 1.8.7 says, the newer version has decided. */
export function isSettledByRecording(step: Step, difference: Difference, ours: Answer, theirs: Answer): boolean {
  if (step.recorded === undefined) return false;
  const atPath = (answer: Answer): boolean =>
    compareRow(step.recorded as NonNullable<typeof step.recorded>, answer).some((text) => isAbout(text, difference.path));
  return atPath(theirs) && !atPath(ours);
}

function isAbout(text: string, path: string): boolean {
  const listed = path.replace(/\.length$/, '');
  return text.startsWith(`${listed}:`);
}
