import { RE2JS } from 're2js';

/** Longest pattern that a user may write; RE2 runs in linear time, but its program grows with the pattern. */
export const MAX_PATTERN_LENGTH = 4096;

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
 * @throws Error when the pattern is too long or not RE2
 */
export function compileRegex(pattern: string): Regex {
  if (pattern.length > MAX_PATTERN_LENGTH) throw new Error(`regular expression exceeds ${MAX_PATTERN_LENGTH} characters`);
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
