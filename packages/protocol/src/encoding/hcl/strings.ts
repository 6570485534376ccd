import type { Source } from './source.ts';

interface Read {
  readonly value: string;
  /** Offset behind what was read. */
  readonly end: number;
}

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['a', '\x07'],
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
  ['v', '\v'],
  ['\\', '\\'],
  ['"', '"'],
]);
const NUMERIC_ESCAPE = /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3}))/y;
const HEREDOC_START = /<<(-?)([\p{L}\p{Nd}_]+)\r?\n/uy;

/** A quoted string; inside `${...}`, which HCL passes through, quotes and newlines need no escape. */
export function readQuoted(source: Source, offset: number): Read {
  const { text } = source;
  const parts: string[] = [];
  let at = offset + 1;
  let from = at;
  let braces = 0;
  for (;;) {
    const char = text[at];
    if (char === undefined || (char === '\n' && braces === 0)) throw source.errorAt(offset, 'literal not terminated');
    if (char === '"' && braces === 0) {
      parts.push(text.slice(from, at));
      return { value: parts.join(''), end: at + 1 };
    }
    if (braces === 0 && char === '$' && text[at + 1] === '{') {
      braces = 1;
      at += 2;
    } else if (braces > 0) {
      if (char === '{') braces += 1;
      else if (char === '}') braces -= 1;
      at += 1;
    } else if (char === '\\') {
      const escape = readEscape(source, at);
      parts.push(text.slice(from, at), escape.value);
      at = escape.end;
      from = at;
    } else at += 1;
  }
}

function readEscape(source: Source, offset: number): Read {
  const simple = ESCAPES.get(source.text[offset + 1] ?? '');
  if (simple !== undefined) return { value: simple, end: offset + 2 };
  NUMERIC_ESCAPE.lastIndex = offset;
  const match = NUMERIC_ESCAPE.exec(source.text);
  if (match === null) throw source.errorAt(offset, 'illegal char escape');
  const octal = match[4];
  const point = octal === undefined ? Number.parseInt(match[1] ?? match[2] ?? match[3] ?? '', 16) : Number.parseInt(octal, 8);
  if (point > 0x10ffff) throw source.errorAt(offset, 'illegal char escape');
  return { value: String.fromCodePoint(point), end: offset + match[0].length };
}

/** `<<END` keeps the lines as they are; `<<-END` takes the end marker's indentation off each line when every line has it. */
export function readHeredoc(source: Source, offset: number): Read {
  HEREDOC_START.lastIndex = offset;
  const start = HEREDOC_START.exec(source.text);
  if (start === null) throw source.errorAt(offset, 'heredoc anchor not found');
  const marker = start[2] ?? '';
  const lines: string[] = [];
  let at = HEREDOC_START.lastIndex;
  for (;;) {
    const newline = source.text.indexOf('\n', at);
    const lineEnd = newline === -1 ? source.text.length : newline;
    const line = source.text.slice(at, lineEnd);
    // As in HCL 1 the marker may be indented, and may be followed by a comma or bracket on its line.
    const trimmed = line.trimStart();
    if (trimmed.startsWith(marker) && !/^[\p{L}\p{Nd}_]/u.test(trimmed.slice(marker.length))) {
      const indent = line.slice(0, line.length - trimmed.length);
      return { value: joinLines(lines, start[1] === '-' ? indent : ''), end: at + indent.length + marker.length };
    }
    if (newline === -1) throw source.errorAt(offset, 'heredoc not terminated');
    lines.push(line.endsWith('\r') ? line.slice(0, -1) : line);
    at = newline + 1;
  }
}

function joinLines(lines: readonly string[], indent: string): string {
  const strip = indent !== '' && lines.every((line) => line.startsWith(indent));
  return lines.map((line) => `${strip ? line.slice(indent.length) : line}\n`).join('');
}
