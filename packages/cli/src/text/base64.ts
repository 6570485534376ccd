import { Buffer } from 'node:buffer';

export type Base64Result =
  | { readonly ok: true; readonly bytes: Uint8Array }
  | { readonly ok: false; readonly bytes: Uint8Array; readonly message: string };

const ALPHABET = /[A-Za-z0-9+/]/;

/** Go's encoding/base64 StdEncoding: strict padding, line breaks skipped, and its error text with what was decoded so far. */
export function decodeBase64(text: string): Base64Result {
  const significant: { readonly char: string; readonly offset: number }[] = [];
  for (let offset = 0; offset < text.length; offset++) {
    const char = text.charAt(offset);
    if (char !== '\n' && char !== '\r') significant.push({ char, offset });
  }
  for (let index = 0; index < significant.length; index++) {
    const { char, offset } = significant[index] ?? { char: '', offset: 0 };
    if (ALPHABET.test(char)) continue;
    const position = index % 4;
    const padded = char === '=' && position >= 2 && isPadding(significant.slice(index), position);
    if (padded) return { ok: true, bytes: decode(significant) };
    return corrupt(significant.slice(0, index - position), offset);
  }
  const leftover = significant.length % 4;
  if (leftover === 0) return { ok: true, bytes: decode(significant) };
  return corrupt(significant.slice(0, significant.length - leftover), text.length - leftover);
}

function isPadding(rest: readonly { readonly char: string }[], position: number): boolean {
  return rest.length === 4 - position && rest.every(({ char }) => char === '=');
}

function decode(symbols: readonly { readonly char: string }[]): Uint8Array {
  return Buffer.from(symbols.map(({ char }) => char).join(''), 'base64');
}

function corrupt(decoded: readonly { readonly char: string }[], offset: number): Base64Result {
  return { ok: false, bytes: decode(decoded), message: `illegal base64 data at input byte ${offset}` };
}
