import type { Answer } from '../replay/exchange.ts';
import type { Bindings } from './bindings.ts';
import { normalise, normaliseText } from './normalise.ts';
import type { Difference, Step } from './step.ts';

export interface AgentAnswer {
  readonly answer: Answer;
  readonly bindings: Bindings;
}

/** Compared by value; of all other X-Consul-* headers the presence. */
const EXACT_HEADERS = [
  'content-type',
  'allow',
  'location',
  'x-consul-knownleader',
  'x-consul-effective-consistency',
  'x-consul-translate-addresses',
];
/** A matter of timing. */
const TIMED_HEADERS = new Set(['age', 'x-consul-lastcontact']);
const SHOWN_LENGTH = 240;

/** All places where Lictor's answer is not Consul's. */
export function compareAnswers(step: Step, ours: AgentAnswer, theirs: AgentAnswer): Difference[] {
  const differences: Difference[] = [];
  if (ours.answer.status !== theirs.answer.status) {
    const show = ({ answer, bindings }: AgentAnswer): string =>
      `${answer.status} ${shorten(normaliseText(answer.body.toString(), bindings).trim())}`;
    differences.push({ path: 'status', ours: show(ours), theirs: show(theirs) });
  }
  differences.push(...compareHeaders(ours.answer, theirs.answer));
  if (ours.answer.status !== theirs.answer.status) return differences;
  return [...differences, ...compareBodies(step, ours, theirs)];
}

function compareHeaders(ours: Answer, theirs: Answer): Difference[] {
  const names = new Set([...Object.keys(ours.headers), ...Object.keys(theirs.headers)]);
  return [...names].flatMap((name) => {
    const isExact = EXACT_HEADERS.includes(name);
    if (!isExact && (!/^x-(consul-|cache)/.test(name) || TIMED_HEADERS.has(name))) return [];
    const [a, b] = [ours.headers[name], theirs.headers[name]];
    const isSame = isExact ? a === b : (a === undefined) === (b === undefined);
    return isSame ? [] : [{ path: `header ${name}`, ours: a ?? 'none', theirs: b ?? 'none' }];
  });
}

function compareBodies(step: Step, ours: AgentAnswer, theirs: AgentAnswer): Difference[] {
  const [a, b] = [parse(ours.answer.body), parse(theirs.answer.body)];
  if (a !== undefined && b !== undefined) {
    const isUnordered = step.unordered === true;
    return compareValues(normalise(a.value, ours.bindings, isUnordered), normalise(b.value, theirs.bindings, isUnordered), '$');
  }
  const [textA, textB] = [ours, theirs].map(({ answer, bindings }) => normaliseText(answer.body.toString(), bindings));
  return textA === textB ? [] : [{ path: 'text', ours: shorten(textA ?? ''), theirs: shorten(textB ?? '') }];
}

function compareValues(ours: unknown, theirs: unknown, path: string): Difference[] {
  if (Array.isArray(ours) && Array.isArray(theirs)) {
    const members = ours
      .slice(0, theirs.length)
      .flatMap((member, position) => compareValues(member, theirs[position], `${path}[${position}]`));
    if (ours.length === theirs.length) return members;
    return [{ path: `${path}.length`, ours: `${ours.length} ${show(ours)}`, theirs: `${theirs.length} ${show(theirs)}` }];
  }
  if (isRecord(ours) && isRecord(theirs)) {
    const keys = [...new Set([...Object.keys(ours), ...Object.keys(theirs)])];
    return keys.flatMap((key) => {
      if (!Object.hasOwn(ours, key)) return [{ path: `${path}.${key}`, ours: 'none', theirs: show(theirs[key]) }];
      if (!Object.hasOwn(theirs, key)) return [{ path: `${path}.${key}`, ours: show(ours[key]), theirs: 'none' }];
      return compareValues(ours[key], theirs[key], `${path}.${key}`);
    });
  }
  return Object.is(ours, theirs) ? [] : [{ path, ours: show(ours), theirs: show(theirs) }];
}

function parse(body: Buffer): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(body.toString()) as unknown };
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function show(value: unknown): string {
  return shorten(JSON.stringify(value));
}

function shorten(text: string): string {
  return text.length > SHOWN_LENGTH ? `${text.slice(0, SHOWN_LENGTH)}...` : text;
}
