/** Values that carry meaning; all others are random, timed or of the original's own build. */
const MEANINGFUL = new Set([
  'Action',
  'AggregatedStatus',
  'Allowed',
  'Authorized',
  'Behavior',
  'CheckID',
  'Key',
  'Kind',
  'Provider',
  'Reason',
  'ServiceName',
  'Value',
  'What',
]);
const CUT = /^\.\.\. \d+ more$/;

/** Differences in field names, types and meaningful values, each with its path. */
export function compareJson(expected: unknown, actual: unknown, path = '$'): string[] {
  if (Array.isArray(expected)) return Array.isArray(actual) ? compareLists(expected, actual, path) : [typeDiffers(expected, actual, path)];
  if (isRecord(expected)) return isRecord(actual) ? compareRecords(expected, actual, path) : [typeDiffers(expected, actual, path)];
  if (kindOf(expected) !== kindOf(actual)) return [typeDiffers(expected, actual, path)];
  const field = path.slice(path.lastIndexOf('.') + 1);
  const isCompared = typeof expected === 'boolean' || (MEANINGFUL.has(field) && typeof expected === 'string') || field === 'Precedence';
  const differs = isCompared && normalise(expected) !== normalise(actual);
  return differs ? [`${path}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(actual)}`] : [];
}

function compareLists(expected: readonly unknown[], actual: readonly unknown[], path: string): string[] {
  const last = expected.at(-1);
  const isCut = typeof last === 'string' && CUT.test(last);
  const shown = sorted(isCut ? expected.slice(0, -1) : expected);
  if (!isCut && expected.length !== actual.length) return [`${path}: expected ${expected.length} items, got ${actual.length}`];
  const ordered = sorted(actual);
  return shown.flatMap((item, position) => (position < ordered.length ? compareJson(item, ordered[position], `${path}[${position}]`) : []));
}

/** Lists that Consul fills from a map come in any order: compare them by what names their items. */
function sorted(list: readonly unknown[]): readonly unknown[] {
  const name = ['CheckID', 'Active'].find((field) => list.every((item) => isRecord(item) && Object.hasOwn(item, field)));
  if (name === undefined) return list;
  return list.toSorted((a, b) => (keyOf(a, name) < keyOf(b, name) ? -1 : 1));
}

function keyOf(item: unknown, field: string): string {
  return isRecord(item) ? String(item[field]) : '';
}

/** Indexes, ids and ports inside of texts differ from run to run. */
export function normalise(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  return value
    .replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '<uuid>')
    .replace(/\b(index) \d+/g, '$1 <n>')
    .replace(/(\d+\.\d+\.\d+\.\d+):\d+/g, '$1:<port>');
}

function compareRecords(recorded: Record<string, unknown>, answered: Record<string, unknown>, path: string): string[] {
  const expected = byNumber(recorded);
  const actual = byNumber(answered);
  const differences: string[] = [];
  for (const key of Object.keys(expected)) {
    if (!Object.hasOwn(actual, key)) differences.push(`${path}.${key}: missing`);
    else differences.push(...compareJson(expected[key], actual[key], `${path}.${key}`));
  }
  for (const key of Object.keys(actual)) if (!Object.hasOwn(expected, key)) differences.push(`${path}.${key}: not in Consul's answer`);
  return differences;
}

/** Ids that name the fields of a record are as random as others: the first, the second... */
function byNumber(record: Record<string, unknown>): Record<string, unknown> {
  let count = 0;
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [normalise(key) === '<uuid>' ? `<uuid ${++count}>` : key, value]));
}

function typeDiffers(expected: unknown, actual: unknown, path: string): string {
  return `${path}: expected ${kindOf(expected)}, got ${kindOf(actual)}`;
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'list' : typeof value;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
