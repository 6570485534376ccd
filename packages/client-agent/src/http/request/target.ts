import { percentDecode } from './percent.ts';

/** A request target, taken apart once: everything behind it (routing, authorisation, handlers, logs) uses these same values. */
export interface RequestTarget {
  /** Decoded: what handlers read names and keys from. */
  readonly path: string;
  /** As sent. */
  readonly escapedPath: string;
  /** Decoded except `%2F`, which never separates path segments: what routes are matched against. */
  readonly routePath: string;
  readonly rawQuery: string;
}

/** Origin form (`/v1/...`) or absolute form (`http://host/v1/...`, RFC 9112 section 3.2.2). Undefined for anything else. */
export function parseTarget(url: string): RequestTarget | undefined {
  const origin = url.startsWith('/') ? url : stripAuthority(url);
  if (origin === undefined) return undefined;
  const question = origin.indexOf('?');
  const escapedPath = question < 0 ? origin : origin.slice(0, question);
  const rawQuery = question < 0 ? '' : origin.slice(question + 1);
  const path = percentDecode(escapedPath, false);
  if (path === undefined) return undefined;
  return { path, escapedPath, routePath: path === escapedPath ? path : decodeKeepingSlashes(escapedPath), rawQuery };
}

function stripAuthority(url: string): string | undefined {
  const match = /^https?:\/\/[^/?#]*/i.exec(url);
  if (match === null) return undefined;
  const rest = url.slice(match[0].length);
  if (rest.startsWith('/')) return rest;
  return rest === '' || rest.startsWith('?') ? `/${rest}` : undefined;
}

function decodeKeepingSlashes(escapedPath: string): string {
  return escapedPath
    .split(/%2f/i)
    .map((part) => percentDecode(part, false) ?? part)
    .join('%2F');
}

const UNPRINTABLE = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u;

/** Consul refuses paths with characters that Go's `unicode.IsPrint` does not know (consul-facts 2.0). */
export function isPrintablePath(path: string): boolean {
  for (let position = 0; position < path.length; position++) {
    const code = path.charCodeAt(position);
    if (code > 0x7e) return !UNPRINTABLE.test(path);
    if (code < 0x20) return false;
  }
  return true;
}
