import { parseJson } from '@lictor/sdk';

/** JSON.parse that fails in the words of Go's encoding/json, for the mistakes that people make. @throws Error */
export function parseGoJson(text: string): unknown {
  try {
    return parseJson(text);
  } catch (error) {
    throw new Error(explain(text, error), { cause: error });
  }
}

function explain(text: string, error: unknown): string {
  if (text.trim() === '') return 'unexpected end of JSON input';
  const message = error instanceof Error ? error.message : '';
  if (/Unexpected end|Unterminated/.test(message)) return 'unexpected end of JSON input';
  const position = /at position (\d+)/.exec(message)?.[1];
  const first = text.trimStart().charAt(0);
  const offset = position === undefined ? text.indexOf(first) : Number(position);
  if (offset >= text.length) return 'unexpected end of JSON input';
  const char = text.charAt(offset);
  if (text.slice(0, offset).trim() === '') return `invalid character ${quote(char)} looking for beginning of value`;
  if (/after JSON|non-whitespace/.test(message)) return `invalid character ${quote(char)} after top-level value`;
  return `invalid character ${quote(char)} looking for beginning of value`;
}

function quote(char: string): string {
  return char === "'" ? String.raw`'\''` : `'${char}'`;
}
