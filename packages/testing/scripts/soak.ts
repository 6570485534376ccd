// Whether anything grows without end: `npm run soak -- [--minutes 180]`. Exit status 1 when something does, or when the mesh lost calls.
import { parseArgs } from 'node:util';
import { loadavg } from 'node:os';
import { runSoak } from '../src/soak/run-soak.ts';
import { GROWING, hasGrown, type Trend, type Verdict } from '../src/soak/verdict.ts';

const MINUTE_MS = 60_000;
/** Of calls through sidecars: none depends on a leader, nor on the client that restarts. */
const MAX_LOST_PART = 0.001;

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '180' } } });
const minutes = Number(values.minutes);
const startedMs = performance.now();

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

function cell(trend: Trend | undefined): string {
  if (trend === undefined) return '-';
  const text = `${trend.first.toFixed(0)} to ${trend.last.toFixed(0)} (${trend.perHour >= 0 ? '+' : ''}${trend.perHour.toFixed(0)}/h)`;
  return trend.isGrowing ? `**${text}**` : text;
}

function line(verdict: Verdict): string {
  const { life, minutes: lived, trends, loopP99Ms, isTooShort } = verdict;
  const judged = isTooShort ? 'too short' : hasGrown(verdict) ? '**grows**' : 'steady';
  return `| ${[life, lived.toFixed(0), ...GROWING.map((what) => cell(trends[what])), loopP99Ms.toFixed(1), judged].join(' | ')} |`;
}

print(`${minutes} minutes; load ${loadavg()[0]?.toFixed(1) ?? ''}`);
const { verdicts, loads } = await runSoak({
  minutes,
  sampleEveryMs: 10_000,
  restartClientEveryMs: MINUTE_MS,
  killLeaderEveryMs: Math.min(20, Math.max(2.5, minutes / 4)) * MINUTE_MS,
  warmUpMs: Math.min(10, Math.max(1.5, minutes / 6)) * MINUTE_MS,
  onEvent: (text) => print(`${((performance.now() - startedMs) / MINUTE_MS).toFixed(1)} min: ${text}`),
});

print('\n| load | done | failed | the last failure |\n|---|---|---|---|');
for (const { name, done, failed, lastFailure } of loads) print(`| ${name} | ${done} | ${failed} | ${lastFailure} |`);
print(
  '\n| process | minutes | RSS, MiB | heap after a collection, MiB | handles | timers | loop delay p99, ms | |\n|---|---|---|---|---|---|---|---|',
);
const isShown = ({ isTooShort, minutes: lived }: Verdict): boolean => !isTooShort || lived > 2;
for (const verdict of verdicts.filter(isShown)) print(line(verdict));
print(
  `(and ${verdicts.filter((verdict) => !isShown(verdict)).length} lives of less than two minutes); load ${loadavg()[0]?.toFixed(1) ?? ''}`,
);

const lost = loads.filter(({ name, done, failed }) => name === 'calls through sidecars' && failed > MAX_LOST_PART * done);
const grown = verdicts.filter(hasGrown);
const isJudged = verdicts.some(({ isTooShort }) => !isTooShort);
for (const { life } of grown) print(`${life} grows`);
for (const { failed } of lost) print(`${failed} calls through sidecars were lost`);
if (!isJudged) print('too short to judge anything');
process.exit(grown.length > 0 || lost.length > 0 || !isJudged ? 1 : 0);
