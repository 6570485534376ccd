/**
 * A request path in the one form that decides and is forwarded (CVE-2024-10005; Envoy 2019-9901, 2021-29492, 2021-32779). Servers disagree
 * on what an unusual path means, so forms that have no single meaning are refused, and the rest are rewritten to one spelling.
 */
export interface CanonicalPath {
  /** What is forwarded: unreserved characters plain, all other escapes in upper case, no `.`, `..` or empty segments. */
  readonly path: string;
  /**
   * Other readings that servers behind us may take: without `;parameters`, without trailing dots. Rules that deny look at all of them,
   * rules that allow must match each.
   */
  readonly readings: readonly string[];
}

/** RFC 3986 pchar without `%` and `;`, minus characters that some servers take for a separator. */
const PLAIN = /^[A-Za-z0-9\-._~!$&'()*+,=:@]$/;
/** Paths that are canonical already and have one reading: nearly all. No two parts of the pattern can match the same text, so it is linear. */
const CANONICAL = /^(?:\/[A-Za-z0-9\-_~!$&'()*+,=:@]+(?:\.[A-Za-z0-9\-_~!$&'()*+,=:@]+)*)*\/?$/;
const HEX_PAIR = /^[0-9a-fA-F]{2}$/;
const MAX_PATH_LENGTH = 16_384;

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** The canonical form of a raw path without query, or the reason why it is refused. `raw` holds bytes as node:http gives them (latin1). */
export function canonicalisePath(raw: string): CanonicalPath | { readonly refused: string } {
  if (raw.length > MAX_PATH_LENGTH) return { refused: 'path is too long' };
  if (!raw.startsWith('/')) return { refused: "path doesn't start with '/'" };
  if (CANONICAL.test(raw)) return { path: raw, readings: [raw] };
  return canonicaliseSegments(raw);
}

function canonicaliseSegments(raw: string): CanonicalPath | { readonly refused: string } {
  const segments: string[] = [];
  const parts = raw.slice(1).split('/');
  let isDirectory = false;
  for (const part of parts) {
    const decoded = decodeSegment(part);
    if (typeof decoded !== 'object') return { refused: decoded };
    const refused = refuseBytes(decoded);
    if (refused !== undefined) return { refused };
    const segment = encodeSegment(decoded);
    isDirectory = segment === '' || segment === '.' || segment === '..';
    if (segment === '..') segments.pop();
    else if (!isDirectory) segments.push(segment);
    if (/^\.{1,2};/.test(segment)) return { refused: 'dot segment with parameters' };
  }
  const path = join(segments, isDirectory);
  return { path, readings: findReadings(path, segments, isDirectory) };
}

/** A rule's path spelled as `canonicalisePath` spells requests; escapes are kept, dot segments stay as they are (they never match). */
export function spellRulePath(path: string): string {
  const bytes = Buffer.from(path, 'utf8').toString('latin1');
  return bytes
    .split('/')
    .map((part) => {
      const decoded = decodeSegment(part);
      return typeof decoded === 'object' ? encodeSegment(decoded) : part;
    })
    .join('/');
}

function join(segments: readonly string[], isDirectory: boolean): string {
  return segments.length === 0 ? '/' : `/${segments.join('/')}${isDirectory ? '/' : ''}`;
}

function findReadings(path: string, segments: readonly string[], isDirectory: boolean): string[] {
  const readings = new Set([path]);
  const bare = segments.map((segment) => segment.replace(/;.*$/, ''));
  readings.add(
    join(
      bare.filter((segment) => segment !== ''),
      isDirectory,
    ),
  );
  readings.add(
    join(
      bare.map((segment) => segment.replace(/\.+$/, '')).filter((segment) => segment !== ''),
      isDirectory,
    ),
  );
  return [...readings];
}

/** Bytes of one segment, or why it cannot be decoded. */
function decodeSegment(part: string): Uint8Array | string {
  const bytes: number[] = [];
  for (let at = 0; at < part.length; at += 1) {
    const code = part.charCodeAt(at);
    if (code > 0xff) return 'path is not a byte string';
    if (code !== 0x25) {
      bytes.push(code);
      continue;
    }
    const digits = part.slice(at + 1, at + 3);
    if (!HEX_PAIR.test(digits)) return 'invalid percent-encoding';
    bytes.push(Number.parseInt(digits, 16));
    at += 2;
  }
  return Uint8Array.from(bytes);
}

function refuseBytes(bytes: Uint8Array): string | undefined {
  for (const byte of bytes) {
    if (byte < 0x20 || byte === 0x7f) return 'control character in path';
    if (byte === 0x2f) return 'encoded slash in path';
    if (byte === 0x5c) return 'backslash in path';
    if (byte === 0x23) return "'#' in path";
    if (byte === 0x3f) return "encoded '?' in path";
  }
  try {
    utf8.decode(bytes);
  } catch {
    return 'path is not UTF-8';
  }
  return undefined;
}

function encodeSegment(bytes: Uint8Array): string {
  let out = '';
  for (const byte of bytes) {
    const char = String.fromCharCode(byte);
    out += PLAIN.test(char) || char === ';' ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return out;
}
