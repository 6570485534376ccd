import type { Verdict } from './deviations.ts';

/** A few lines for people. */
export function describeVerdict(verdict: Verdict): string {
  const lines = [`${verdict.same} rows as Consul answers, ${verdict.listed} listed deviations`];
  for (const { row, group, request, differences } of verdict.unexpected) {
    lines.push(`row ${row} (${group}) ${request}`, ...differences.map((difference) => `    ${difference}`));
  }
  for (const { row, request } of verdict.fixed) lines.push(`row ${row} ${request}: listed as a deviation, but it no longer differs`);
  return `${lines.join('\n')}\n`;
}
