/** What a repetition may multiply by; RE2 refuses more. */
const COUNT = /\{(\d+)(,(\d*))?\}/y;

/**
 * About how many instructions a regular expression compiles to, never far below: atoms, groups, alternatives and repetitions, counted ones as
 * often as they repeat. Compiling takes time in proportion, and so does matching each character. A malformed expression has some size, too.
 */
export function regexSize(pattern: string): number {
  /** Sizes of the groups that are open, each with that of its last atom, which a quantifier is about. */
  const open: { total: number; last: number }[] = [{ total: 0, last: 0 }];
  let at = 0;
  const add = (size: number): void => {
    const group = open.at(-1);
    if (group === undefined) return;
    group.total += size;
    group.last = size;
  };
  while (at < pattern.length) {
    const character = pattern[at];
    COUNT.lastIndex = at;
    const count = character === '{' ? COUNT.exec(pattern) : null;
    if (count !== null) {
      at += count[0].length;
      repeat(open.at(-1), Math.max(1, Number(count[1]), Number(count[3] ?? 0)));
    } else if (character === '[') {
      at = endOfClass(pattern, at);
      add(1);
    } else if (character === '(') {
      at++;
      open.push({ total: 2, last: 0 });
    } else if (character === ')' && open.length > 1) {
      at++;
      add(open.pop()?.total ?? 0);
    } else {
      at += character === '\\' ? 2 : 1;
      add(1);
    }
  }
  return open.reduce((sum, { total }) => sum + total, 0);
}

function repeat(group: { total: number; last: number } | undefined, times: number): void {
  if (group === undefined) return;
  group.total += group.last * (times - 1);
  group.last *= times;
}

/** A bracket that comes first in a class stands for itself. */
function endOfClass(pattern: string, start: number): number {
  let at = start + (pattern[start + 1] === '^' ? 2 : 1);
  if (pattern[at] === ']') at++;
  while (at < pattern.length && pattern[at] !== ']') at += pattern[at] === '\\' ? 2 : 1;
  return at + 1;
}
