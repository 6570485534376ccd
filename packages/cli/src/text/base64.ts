import { Buffer } from 'node:buffer';

export type Base64Result =
  | { readonly ok: true; readonly bytes: Uint8Array }
  | { readonly ok: false; readonly bytes: Uint8Array; readonly message: string };

const ALPHABET = /[A-Za-z0-9+/]/;

interface Symbol64 {
  readonly char: string;
  readonly offset: number;
}

/** Go's encoding/base64 StdEncoding: strict padding, line breaks skipped, and its error text with what was decoded so far. */
export function decodeBase64(text: string): Base64Result {
  const symbols: Symbol64[] = [];
  for (let offset = 0; offset < text.length; offset++) {
    const char = text.charAt(offset);
    if (char !== '\n' && char !== '\r') symbols.push({ char, offset });
  }
  const firstOther = symbols.findIndex(({ char }) => !ALPHABET.test(char));
  const length = firstOther < 0 ? symbols.length : firstOther;
  const position = length % 4;
  const whole = symbols.slice(0, length - position);
  const other = symbols[length];
  if (other === undefined) return position === 0 ? { ok: true, bytes: decode(symbols) } : corrupt(whole, text.length - position);
  if (other.char !== '=' || position < 2) return corrupt(whole, other.offset);
  return decodePadded(text, symbols, length);
}

/** The end of a text whose padding begins at `start`, after two or three symbols of a group of four. */
function decodePadded(text: string, symbols: readonly Symbol64[], start: number): Base64Result {
  const position = start % 4;
  const whole = symbols.slice(0, start - position);
  const second = symbols[start + 1];
  if (position === 2 && second === undefined) return corrupt(whole, text.length);
  if (position === 2 && second?.char !== '=') return corrupt(whole, (second?.offset ?? 0) - 1);
  const end = start + 4 - position;
  const group = symbols.slice(0, start);
  const garbage = symbols[end];
  return garbage === undefined ? { ok: true, bytes: decode(group) } : corrupt(group, garbage.offset);
}

function decode(symbols: readonly Symbol64[]): Uint8Array {
  return Buffer.from(symbols.map(({ char }) => char).join(''), 'base64');
}

function corrupt(decoded: readonly Symbol64[], offset: number): Base64Result {
  return { ok: false, bytes: decode(decoded), message: `illegal base64 data at input byte ${offset}` };
}
