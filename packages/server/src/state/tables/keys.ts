import { KEY_SEPARATOR } from '../types.ts';

/** Consul's catalog finds nodes, services and checks without regard to case: keys and index values are folded, rows keep the spelling. */
export function foldName(name: string): string {
  return name.toLowerCase();
}

/** One key of two names, folded. */
export function compositeKey(first: string, second: string): string {
  return foldName(first) + KEY_SEPARATOR + foldName(second);
}

/** The prefix under which all keys lie that begin with `part`. */
export function keyPrefix(part: string): string {
  return foldName(part) + KEY_SEPARATOR;
}
