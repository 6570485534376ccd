/** An operator's own pattern. @throws what `fail` makes of the reason that it does not compile */
export function compileRegExp(pattern: string, fail: (reason: string) => Error): RegExp {
  try {
    return new RegExp(pattern);
  } catch (error) {
    throw fail(`error parsing regexp: ${error instanceof Error ? error.message : String(error)}`);
  }
}
