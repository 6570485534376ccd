import type { IntentionHeaderMatch } from '@lictor/protocol';
import { compileRegex } from '../regex.ts';

/**
 * Does a header satisfy a match? A request can carry several values for one name, on several lines or behind commas, and servers differ in
 * which one they use (CVE-2024-10006; Envoy 2020-25017, 2021-32777): with `any` one value, or all of them joined, is enough (rules that
 * deny), with `all` each line must match and there must be one (rules that allow).
 */
export type HeaderMatcher = (headers: ReadonlyMap<string, readonly string[]>, quantifier: 'any' | 'all') => boolean;

/** @throws Error for a regular expression that does not compile */
export function compileHeaderMatch(match: IntentionHeaderMatch): HeaderMatcher {
  const name = match.Name.toLowerCase();
  const test = compileValueTest(match);
  return (headers, quantifier) => {
    const lines = headers.get(name) ?? [];
    if (match.Present) return lines.length > 0 !== match.Invert;
    if (quantifier === 'all') {
      return lines.length > 0 && (match.Invert ? !spellings(lines).some(test) : lines.every(test));
    }
    // Deny unless the header says so: an absent header does not say so.
    return match.Invert ? lines.length === 0 || !lines.every(test) : spellings(lines).some(test);
  };
}

/** Every way to read the values: line by line, element by element, and joined as RFC 9110 5.3 allows any intermediary to do. */
function spellings(lines: readonly string[]): readonly string[] {
  if (lines.length === 1 && !lines[0]?.includes(',')) return lines;
  const elements = lines.flatMap((line) => line.split(',').map((element) => element.trim()));
  return [...lines, ...elements, lines.join(','), lines.join(', ')];
}

function compileValueTest(match: IntentionHeaderMatch): (value: string) => boolean {
  const fold = (text: string): string => (match.IgnoreCase ? text.toLowerCase() : text);
  if (match.Exact !== '') {
    const exact = fold(match.Exact);
    return (value) => fold(value) === exact;
  }
  if (match.Prefix !== '') {
    const prefix = fold(match.Prefix);
    return (value) => fold(value).startsWith(prefix);
  }
  if (match.Suffix !== '') {
    const suffix = fold(match.Suffix);
    return (value) => fold(value).endsWith(suffix);
  }
  if (match.Contains !== '') {
    const part = fold(match.Contains);
    return (value) => fold(value).includes(part);
  }
  const regex = compileRegex(match.Regex);
  return (value) => regex.matchesWhole(value);
}
