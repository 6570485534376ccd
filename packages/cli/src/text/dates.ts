const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'] as const;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;

/** RFC 3339 to RFC 850 in local time, as Go's time.RFC850: `Saturday, 21-Nov-26 05:49:39 UTC`. Go's zero time for no time. */
export function formatRfc850(rfc3339: string | undefined): string {
  const date = new Date(rfc3339 ?? '');
  if (Number.isNaN(date.getTime())) return 'Monday, 01-Jan-01 00:00:00 UTC';
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = `${DAYS[date.getDay()]}, ${two(date.getDate())}-${MONTHS[date.getMonth()]}-${two(date.getFullYear() % 100)}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())} ${zoneName(date)}`;
}

function zoneName(date: Date): string {
  const parts = new Intl.DateTimeFormat('en-US', { timeZoneName: 'short' }).formatToParts(date);
  return parts.find(({ type }) => type === 'timeZoneName')?.value ?? 'UTC';
}
