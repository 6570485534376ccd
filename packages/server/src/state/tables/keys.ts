import { KEY_SEPARATOR } from '../types.ts';

/** Consul's catalog finds nodes, services and checks without regard to case: keys and index values are folded, rows keep the spelling. */
export function foldName(name: string): string {
  return name.toLowerCase();
}

/** One spelling for all forms of an IPv6 address; other texts are folded. */
export function foldAddress(address: string): string {
  const canonical = address.includes(':') ? URL.parse(`http://[${address}]`)?.hostname : undefined;
  return canonical ?? address.toLowerCase();
}

/** One key of two names, folded. */
export function compositeKey(first: string, second: string): string {
  return foldName(first) + KEY_SEPARATOR + foldName(second);
}

/** The prefix under which all keys lie that begin with `part`. */
export function keyPrefix(part: string): string {
  return foldName(part) + KEY_SEPARATOR;
}
