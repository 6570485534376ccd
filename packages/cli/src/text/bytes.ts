const UNITS = ['B', 'KB', 'MB', 'GB', 'TB'] as const;

/** `6.9KB`, `848B`, `0`: Consul's sizes, in steps of 1024, one digit after the point unless it is 0. */
export function formatBytes(bytes: number): string {
  if (bytes === 0) return '0';
  const step = Math.min(UNITS.length - 1, Math.floor(Math.log2(bytes) / 10));
  return `${(bytes / 1024 ** step).toFixed(1).replace(/\.0$/, '')}${UNITS[step]}`;
}
