import { compareJson, normalise } from './compare-json.ts';
import type { Answer } from './exchange.ts';
import type { RecordedRow } from './recorded.ts';

/** Headers whose value is part of the contract. */
const EXACT = [
  'content-type',
  'allow',
  'location',
  'vary',
  'x-consul-default-acl-policy',
  'x-consul-effective-consistency',
  'x-consul-knownleader',
];
const ALSO_EXACT = ['x-consul-query-backend', 'x-consul-reason'];
/** Headers of which only the form counts. */
const FORMS: Readonly<Record<string, RegExp>> = {
  'x-consul-index': /^[1-9]\d*$/,
  'x-consul-lastcontact': /^\d+$/,
  'x-consul-contenthash': /^[0-9a-f]+$/,
  'x-cache': /^(HIT|MISS)$/,
};
/** Present only when an answer came from a warm cache, which is a matter of timing. */
const TIMED = ['age'];
const HTML = '<html>';
const SHORTENED = '...PEM...';

/** What differs from Consul's answer; empty when nothing does. */
export function compareRow(row: RecordedRow, answer: Answer): string[] {
  const differences: string[] = [];
  if (row.status !== answer.status)
    differences.push(`status: expected ${row.status}, got ${answer.status} ${answer.body.toString().slice(0, 200)}`);
  differences.push(...compareHeaders(row.headers, answer.headers));
  if (row.status !== answer.status) return differences;
  if ('body' in row) differences.push(...compareJsonBody(row, answer.body.toString()));
  else if (row.text !== undefined) differences.push(...compareText(row.text, answer.body.toString()));
  else if (answer.body.length === 0) differences.push('body: expected bytes, got none');
  return differences;
}

function compareHeaders(expected: Readonly<Record<string, string>>, actual: Readonly<Record<string, string>>): string[] {
  const differences: string[] = [];
  for (const name of [...EXACT, ...ALSO_EXACT, ...Object.keys(FORMS)]) {
    const wanted = expected[name];
    const got = actual[name];
    if (wanted === undefined && got === undefined) continue;
    if (wanted === undefined || got === undefined) differences.push(`header ${name}: expected ${wanted ?? 'none'}, got ${got ?? 'none'}`);
    else if (FORMS[name] === undefined ? wanted !== got : !FORMS[name].test(got))
      differences.push(`header ${name}: expected ${wanted}, got ${got}`);
  }
  for (const name of Object.keys(actual)) {
    const isOurs = name.startsWith('x-consul-') && !EXACT.includes(name) && !ALSO_EXACT.includes(name) && FORMS[name] === undefined;
    if (isOurs && expected[name] === undefined && !TIMED.includes(name)) differences.push(`header ${name}: not in Consul's answer`);
  }
  return differences;
}

function compareJsonBody(row: RecordedRow, text: string): string[] {
  let actual: unknown;
  try {
    actual = JSON.parse(text) as unknown;
  } catch {
    return [`body: expected JSON, got ${text.slice(0, 200)}`];
  }
  const isIndented = text.includes('\n');
  const order = isShuffled(row) ? inOneOrder : (value: unknown): unknown => value;
  return [...compareJson(order(row.body), order(actual)), ...(row.pretty && !isIndented ? ['body: expected it indented'] : [])];
}

/** Executed queries answer in random order, and lists of queries are in the order of ids. */
function isShuffled({ request: { path } }: RecordedRow): boolean {
  return /^\/v1\/query($|\/.*\/execute)/.test(path);
}

function inOneOrder(answer: unknown): unknown {
  if (Array.isArray(answer)) return byName(answer, 'Name');
  if (typeof answer !== 'object' || answer === null || !('Nodes' in answer) || !Array.isArray(answer.Nodes)) return answer;
  return { ...answer, Nodes: byName(answer.Nodes, 'Node') };
}

/** Nodes have their name one level further down. */
function byName(items: readonly unknown[], key: 'Name' | 'Node'): unknown[] {
  const nameOf = (item: unknown): string => {
    const value = typeof item === 'object' && item !== null ? (item as Record<string, unknown>)[key] : undefined;
    return typeof value === 'object' && value !== null ? nameOf(value) : String(value);
  };
  return items.toSorted((left, right) => (nameOf(left) < nameOf(right) ? -1 : 1));
}

function compareText(expected: string, actual: string): string[] {
  if (expected === HTML) return actual.includes('<') ? [] : [`text: expected HTML, got ${actual.slice(0, 80)}`];
  const cut = expected.indexOf(SHORTENED);
  if (cut >= 0) return actual.startsWith(expected.slice(0, cut)) ? [] : [`text: expected ${expected}, got ${actual.slice(0, 80)}`];
  return normalise(expected) === normalise(actual)
    ? []
    : [`text: expected ${JSON.stringify(expected)}, got ${JSON.stringify(actual.slice(0, 400))}`];
}
