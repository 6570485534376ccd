import { RE2JS } from 're2js';
import { regexSize } from './regex-size.ts';

/** Longest pattern that a user may write; RE2 runs in linear time, but its program grows with the pattern. */
export const MAX_PATTERN_LENGTH = 4096;
/** `a{1000}` is short and compiles to much: 4096 characters of it take two seconds. What is written out never comes to more than its length. */
export const MAX_PATTERN_SIZE = MAX_PATTERN_LENGTH;

export interface Regex {
  /** Anchored at both ends, as Envoy's safe_regex. */
  matchesWhole(text: string): boolean;
  /** Anywhere, as Go's `MatchString`. */
  matchesPart(text: string): boolean;
  /** The first match and its groups, as Go's `FindStringSubmatch`; empty without a match. */
  groups(text: string): readonly string[];
}

/**
 * A user's regular expression in RE2 syntax, matched in linear time (never JavaScript's backtracking engine).
 * @throws Error when the pattern is too long, too large or not RE2
 */
export function compileRegex(pattern: string): Regex {
  if (pattern.length > MAX_PATTERN_LENGTH) throw new Error(`regular expression exceeds ${MAX_PATTERN_LENGTH} characters`);
  if (regexSize(pattern) > MAX_PATTERN_SIZE)
    throw new Error(`regular expression is too large: more than ${MAX_PATTERN_SIZE} parts, repetitions counted`);
  const compiled = RE2JS.compile(pattern);
  return {
    matchesWhole: (text) => compiled.testExact(text),
    matchesPart: (text) => compiled.test(text),
    groups: (text) => {
      const matcher = compiled.matcher(text);
      if (!matcher.find()) return [];
      return Array.from({ length: matcher.groupCount() + 1 }, (_, group) => matcher.group(group) ?? '');
    },
  };
}
