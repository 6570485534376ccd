/**
 * Go durations: `"1h30m"`, `"250ms"`, `"1.5s"`. Inside Lictor a duration is a number of milliseconds (fractions allowed);
 * Go's JSON carries nanoseconds.
 */
const UNIT_NS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};
const TERM = /(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/y;
/** Go's int64 nanoseconds: about 292 years. */
const MAX_NS = 2 ** 63;

/** Milliseconds, or undefined when `text` is not a Go duration. */
export function parseDuration(text: string): number | undefined {
  // Go takes a zero without a unit, signed or not.
  if (/^[-+]?0$/.test(text)) return 0;
  const sign = text.startsWith('-') ? -1 : 1;
  let position = text.startsWith('-') || text.startsWith('+') ? 1 : 0;
  if (position === text.length) return undefined;
  let totalNs = 0;
  while (position < text.length) {
    TERM.lastIndex = position;
    const term = TERM.exec(text);
    if (term === null) return undefined;
    totalNs += Number(term[1]) * (UNIT_NS[term[2] ?? ''] ?? Number.NaN);
    position = TERM.lastIndex;
  }
  if (totalNs > MAX_NS) return undefined;
  return (sign * totalNs) / 1e6;
}

/** As Go's `Duration.String()`: `1h0m0s`, `1.5s`, `250ms`, `0s`. */
export function formatDuration(durationMs: number): string {
  if (durationMs === 0) return '0s';
  const sign = durationMs < 0 ? '-' : '';
  const totalNs = Math.round(Math.abs(durationMs) * 1e6);
  if (totalNs < 1e3) return `${sign}${totalNs}ns`;
  if (totalNs < 1e6) return `${sign}${trimFraction(totalNs / 1e3)}µs`;
  if (totalNs < 1e9) return `${sign}${trimFraction(totalNs / 1e6)}ms`;
  const hours = Math.floor(totalNs / 3600e9);
  const minutes = Math.floor((totalNs % 3600e9) / 60e9);
  const seconds = (totalNs % 60e9) / 1e9;
  const tail = `${trimFraction(seconds)}s`;
  if (hours > 0) return `${sign}${hours}h${minutes}m${tail}`;
  if (minutes > 0) return `${sign}${minutes}m${tail}`;
  return sign + tail;
}

function trimFraction(value: number): string {
  return value.toFixed(9).replace(/\.?0+$/, '');
}
