import type { ProbeResult } from '../runner.ts';

/** 0 is passing, 1 warning, anything else critical; null: it was killed. */
export function byExitCode(exitCode: number | null, output: string): ProbeResult {
  if (exitCode === 0) return { status: 'passing', output };
  return { status: exitCode === 1 ? 'warning' : 'critical', output };
}
