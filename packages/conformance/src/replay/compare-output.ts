/** Stands in the recording for a command's help, of which only the fact that it is printed matters. */
const USAGE = '<usage text>';

/** What differs between two runs of the same build, brought to one form. First match wins, so the order matters. */
const VOLATILE: readonly (readonly [RegExp, string])[] = [
  [/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, '<uuid>'],
  [/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)/g, '<time>'],
  [/\b[A-Z][a-z]+day, \d\d-[A-Z][a-z]{2}-\d\d \d\d:\d\d:\d\d [A-Z]{3,4}/g, '<time>'],
  [/^[A-Za-z0-9+/]{43}=$/gm, '<key>'],
  // The first part of a node's id in a table.
  [/(?<=^obs +)[0-9a-f]{8}(?= )/gm, '<id>'],
  // The recorder's is a development build.
  [/1\.21\.0(-?dev)?:?/g, '<version>'],
  [/(127\.0\.0\.1):(?!1\b)\d+/g, '$1:<port>'],
  [/(?<=port=)\d+/g, '<port>'],
  [/(?<=(Create|Modify|Lock)Index"?:? +)\d+/g, '<index>'],
  // The commit index of `operator raft list-peers`.
  [/(?<=leader true 3 )\d+/g, '<index>'],
  [/(?<=snapshot to index )\d+/g, '<index>'],
  // Of `operator autopilot state`.
  [/(?<=Last ?Index"?: )\d+/g, '<index>'],
];

/** Enough of an output to see what it is. */
const SHOWN_LENGTH = 600;

/** Lines that only some builds print. */
const OWN_LINES = /^Lictor v.*\n/gm;

/** Undefined when the outputs say the same. */
export function compareOutput(recorded: string, actual: string): string | undefined {
  const expected = normalise(recorded);
  const found = normalise(actual.replaceAll(OWN_LINES, ''));
  const usageAt = expected.indexOf(USAGE);
  if (usageAt >= 0) {
    const before = expected.slice(0, usageAt);
    if (found.startsWith(before) && found.slice(before.length).trim() !== '') return undefined;
  } else if (found === expected) return undefined;
  return `expected ${quote(expected)}, got ${quote(found)}`;
}

function quote(text: string): string {
  return JSON.stringify(text.length > SHOWN_LENGTH ? `${text.slice(0, SHOWN_LENGTH)}...` : text);
}

/** Columns are as wide as their widest cell, whose width varies: runs of blanks inside a line count as one. */
function normalise(text: string): string {
  let normal = text.replaceAll(/(?<=\S)[ \t]+/g, ' ').replaceAll(/ +$/gm, '');
  for (const [pattern, replacement] of VOLATILE) normal = normal.replaceAll(pattern, replacement);
  return normal;
}

/** `key = value` lines: the figures are the machine's, their names are not. */
export function keysOnly(text: string): string {
  return text.replaceAll(/ = .*$/gm, ' = <value>');
}

/** `snapshot inspect`: the labels and titles; what a snapshot holds is each build's own. */
export function snapshotLabels(text: string): string {
  if (text.startsWith('{')) return JSON.stringify(shapeOf(JSON.parse(text)));
  const rows = text.replaceAll(/(?<=^ (ID|Size|Index|Term|Version|Total) +).*$/gm, '<value>');
  return rows.replaceAll(/(?<=^ ----.*\n)[^]*?(?= ----)/gm, '');
}

/** A value's field names; of a list, those of its first member. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.slice(0, 1).map(shapeOf);
  if (typeof value !== 'object' || value === null) return typeof value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, shapeOf(member)]));
}
