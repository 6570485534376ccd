import type { Reader } from './reader.ts';

const SPACE = /[ \t\r\n]/;
const SPACE_LABEL = '[ \\t\\r\\n]';
const DIGIT = /[0-9]/;

/** One or more blanks. */
export function space(reader: Reader): boolean {
  if (!reader.oneOf(SPACE, SPACE_LABEL)) return false;
  skipSpace(reader);
  return true;
}

export function skipSpace(reader: Reader): void {
  while (reader.oneOf(SPACE, SPACE_LABEL)) continue;
}

/** `Service.Tags`, `Meta["a b"]`. */
export function parseSelector(reader: Reader): string[] | undefined {
  const first = parseIdentifier(reader);
  if (first === undefined) return undefined;
  const path = [first];
  for (;;) {
    const start = reader.position;
    const next = (reader.literal('.') ? parseIdentifier(reader) : undefined) ?? parseIndex(reader, start);
    if (next === undefined) {
      reader.position = start;
      return path;
    }
    path.push(next);
  }
}

function parseIdentifier(reader: Reader): string | undefined {
  const start = reader.position;
  if (!reader.oneOf(/[a-zA-Z]/, '[a-zA-Z]')) return undefined;
  while (reader.oneOf(/[a-zA-Z0-9_]/, '[a-zA-Z0-9_]')) continue;
  return reader.text.slice(start, reader.position);
}

function parseIndex(reader: Reader, start: number): string | undefined {
  reader.position = start;
  if (!reader.literal('[')) return undefined;
  skipSpace(reader);
  const inner = reader.position;
  const key = parseString(reader);
  if (key === undefined) {
    reader.position = inner;
    throw reader.problem('index', 'Invalid index');
  }
  skipSpace(reader);
  if (!reader.literal(']')) throw reader.problem('index', 'Unclosed index expression');
  return key;
}

/** A bare word (taken as it is written), a number or a quoted string. */
export function parseValue(reader: Reader): string | undefined {
  const start = reader.position;
  const selector = parseSelector(reader);
  if (selector !== undefined) return selector.join('.');
  reader.position = start;
  const number = parseNumber(reader);
  if (number !== undefined) return number;
  reader.position = start;
  return parseString(reader);
}

function parseNumber(reader: Reader): string | undefined {
  const start = reader.position;
  reader.literal('-');
  if (!reader.literal('0')) {
    if (!reader.oneOf(/[1-9]/, '[1-9]')) return undefined;
    while (reader.oneOf(DIGIT, '[0-9]')) continue;
  }
  const whole = reader.position;
  if (!reader.literal('.') || !reader.oneOf(DIGIT, '[0-9]')) reader.position = whole;
  else while (reader.oneOf(DIGIT, '[0-9]')) continue;
  const end = reader.position;
  const isDelimited = space(reader) || reader.atEnd() || reader.literal(')');
  reader.position = end;
  if (!isDelimited) throw reader.problem('number', 'Invalid number literal');
  return reader.text.slice(start, end);
}

/** In double quotes with Go's escapes, or verbatim in backticks. */
export function parseString(reader: Reader): string | undefined {
  const start = reader.position;
  const quote = reader.literal('`') ? '`' : reader.literal('"') ? '"' : undefined;
  if (quote === undefined) return undefined;
  const end = reader.text.indexOf(quote, reader.position);
  if (end === -1) {
    reader.position = reader.text.length;
    throw reader.problem('string', 'Unterminated string literal');
  }
  const body = reader.text.slice(reader.position, end);
  reader.position = end + 1;
  if (quote === '`') return body.replaceAll('\r', '');
  const value = unquote(body);
  if (value !== undefined) return value;
  reader.position = start;
  throw reader.problem('string', 'invalid syntax');
}

const ESCAPE = /\\(?:([abfnrtv\\"])|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3}))/g;
const SIMPLE: Readonly<Record<string, string>> = { a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v', '\\': '\\', '"': '"' };

/** As Go's `strconv.Unquote` on the inside of double quotes; undefined when it refuses. */
function unquote(body: string): string | undefined {
  if (!body.includes('\\')) return body.includes('\n') ? undefined : body;
  if (body.includes('\n') || body.replaceAll(ESCAPE, '').includes('\\')) return undefined;
  const points = [...body.matchAll(/\\U([0-9a-fA-F]{8})/g)].map((match) => Number.parseInt(match[1] ?? '', 16));
  if (points.some((point) => point > 0x10ffff)) return undefined;
  return body.replaceAll(ESCAPE, (_all, simple?: string, byte?: string, short?: string, long?: string, octal?: string) => {
    if (simple !== undefined) return SIMPLE[simple] ?? '';
    if (octal !== undefined) return String.fromCodePoint(Number.parseInt(octal, 8));
    return String.fromCodePoint(Number.parseInt(byte ?? short ?? long ?? '0', 16));
  });
}
