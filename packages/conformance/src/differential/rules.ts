import { readFileSync } from 'node:fs';
import type { StepResult } from './run.ts';
import type { Exclusion } from './recorded-steps.ts';
import { describeDifference } from './step.ts';

/** A known difference between 1.8.7 and what Lictor answers. */
export interface Rule {
  /** Pattern of `METHOD path`; all requests without it. */
  readonly request?: string;
  /** Pattern of `PATH: Lictor OURS, Consul THEIRS`. */
  readonly difference: string;
  readonly reason: string;
  /** Whether it occurs is a matter of timing or of the seed; every other rule must apply to something. */
  readonly seldom?: boolean;
}

export interface DifferentialDeviations {
  readonly notAsked: readonly Exclusion[];
  readonly rules: readonly Rule[];
}

export interface Judgement {
  /** A few lines for people; only the first if all is well. */
  readonly text: string;
  /** Rules that applied to nothing. */
  readonly unused: readonly Rule[];
}

export const DIFFERENTIAL_DEVIATIONS = new URL('../../deviations/differential.json', import.meta.url);
const MAX_SHOWN = 60;

export function readDifferentialDeviations(): DifferentialDeviations {
  return JSON.parse(readFileSync(DIFFERENTIAL_DEVIATIONS, 'utf8')) as DifferentialDeviations;
}

export function judgeDifferential(results: readonly StepResult[], rules: readonly Rule[]): Judgement {
  const compiled = rules.map((rule) => ({ rule, request: new RegExp(rule.request ?? ''), difference: new RegExp(rule.difference) }));
  const used = new Set<Rule>();
  const lines: string[] = [];
  let differing = 0;
  for (const { position, step, differences } of results) {
    const asked = `${step.method} ${step.path}`;
    const unexplained = differences.map(describeDifference).filter((text) => {
      const match = compiled.find(({ request, difference }) => request.test(asked) && difference.test(text));
      if (match !== undefined) used.add(match.rule);
      return match === undefined;
    });
    if (unexplained.length === 0) continue;
    differing += 1;
    if (differing > MAX_SHOWN) continue;
    const body = step.body === undefined ? '' : ` ${JSON.stringify(step.body).slice(0, 300)}`;
    lines.push(`${position} (${step.group}) ${asked}${body}`, ...unexplained.map((text) => `    ${text}`));
  }
  const head = `${results.length} requests, ${differing} answered otherwise than by Consul and by no rule`;
  return { text: [head, ...lines, ''].join('\n'), unused: rules.filter((rule) => rule.seldom !== true && !used.has(rule)) };
}
