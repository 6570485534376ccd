import type { Bindings } from './bindings.ts';

/** Inside of texts: what differs from run to run. */
const VOLATILE: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z ]+-----[^]*?-----END [A-Z ]+-----\n?/g, '<pem>'],
  [/\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g, '<uuid>'],
  [/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)/g, '<time>'],
  [/\b([0-9a-f]{2}:){7,}[0-9a-f]{2}\b/g, '<fingerprint>'],
  [/\b(127\.0\.0\.1|0\.0\.0\.0|\[::1?\]):\d+/g, '$1:<port>'],
  [/\b(index) \d+/g, '$1 <n>'],
  [/\bpri-[0-9a-z]+\.consul\.ca\.[0-9a-f]{8}\.consul\b/g, '<common name>'],
];
/** Numbers of a run: what counts is that they are there. */
const RUN_NUMBERS = new Set(['Index', 'RaftIndex', 'LTime']);

/** A value in the form in which both agents' are compared. */
export function normalise(value: unknown, bindings: Bindings, isUnordered: boolean): unknown {
  if (typeof value === 'string') return normaliseText(value, bindings);
  if (Array.isArray(value)) {
    const members = value.map((member) => normalise(member, bindings, isUnordered));
    return isUnordered ? members.toSorted((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1)) : members;
  }
  if (typeof value !== 'object' || value === null) return value;
  const record = value as Readonly<Record<string, unknown>>;
  const normal: [string, unknown][] = Object.entries(record).map(([key, member]) => [
    normaliseText(key, bindings),
    normaliseMember(key, member, record, bindings, isUnordered),
  ]);
  return Object.fromEntries(normal);
}

function sortKey(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if ('CheckID' in value) return String(value.CheckID);
  return JSON.stringify(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

export function normaliseText(text: string, bindings: Bindings): string {
  let normal = bindings.unbind(text);
  for (const [pattern, replacement] of VOLATILE) normal = normal.replaceAll(pattern, replacement);
  return normal;
}

/** Indexes count an agent's own writes; that a row was changed after it was created is the same in both. */
function normaliseMember(
  key: string,
  member: unknown,
  record: Readonly<Record<string, unknown>>,
  bindings: Bindings,
  isUnordered: boolean,
): unknown {
  if (key === 'CreateIndex' && typeof member === 'number') return member === 0 ? 0 : '<index>';
  if (key === 'ModifyIndex' && typeof member === 'number') {
    // When an agent writes its own node's row anew is its own matter.
    if (member === 0 || record['Node'] === 'obs') return 0;
    return member === record['CreateIndex'] ? '<as created>' : '<later>';
  }
  if (key === 'ContentHash') return '<hash>';
  if (key === 'SerialNumber') return '<serial>';
  if (RUN_NUMBERS.has(key) && typeof member === 'number') return member === 0 ? 0 : '<number>';
  return normalise(member, bindings, isUnordered);
}
