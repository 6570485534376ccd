import { LictorError } from '@lictor/protocol';

/** Limits on free metadata (security.md 4). Lengths in bytes. */
export const META_MAX_PAIRS = 64;
export const META_KEY_MAX_BYTES = 128;
export const META_VALUE_MAX_BYTES = 512;

/** Several problems as Consul prints them: a count, then one bullet each. */
export function joinProblems(problems: readonly string[]): string {
  const count = problems.length === 1 ? '1 error' : `${problems.length} errors`;
  return `${count} occurred:\n${problems.map((problem) => `\t* ${problem}`).join('\n')}\n\n`;
}

/** A well-formed input that a rule refuses. Consul answers 500. */
export function rejected(message: string): LictorError {
  return new LictorError('rejected', message);
}

export function byteLength(text: string): number {
  return Buffer.byteLength(text, 'utf8');
}

/** Go's `%q`. */
export function quote(text: string): string {
  return JSON.stringify(text);
}

const CONTROL = /\p{Cc}/u;

/** The catalog's keys are made of names, so it takes none with control characters; Consul would take and then mangle them. */
export function findBadName(...names: readonly string[]): string | undefined {
  const bad = names.find((name) => CONTROL.test(name));
  return bad === undefined ? undefined : `Invalid name ${quote(bad)}: control characters are not allowed`;
}

/** What is wrong with a config entry's or intention's metadata; empty when nothing is. */
export function findMetaProblems(meta: Readonly<Record<string, string>> | null | undefined): string[] {
  const entries = Object.entries(meta ?? {});
  const problems: string[] = [];
  if (entries.length > META_MAX_PAIRS) problems.push(`Meta exceeds maximum element count ${META_MAX_PAIRS}`);
  for (const [key, value] of entries) {
    if (byteLength(key) > META_KEY_MAX_BYTES) problems.push(`Meta key ${quote(key)} exceeds maximum length ${META_KEY_MAX_BYTES}`);
    if (byteLength(value) > META_VALUE_MAX_BYTES)
      problems.push(`Meta value for key ${quote(key)} exceeds maximum length ${META_VALUE_MAX_BYTES}`);
  }
  return problems;
}
