/** Older releases have unfixed holes in TLS host and client certificate checks (security.md 5.3). */
const MIN_VERSION = [24, 17, 0] as const;

/** What to tell the user about a Node that is too old; undefined when it is not. `version` is `process.version`. */
export function nodeVersionProblem(version: string): string | undefined {
  const parts = version.replace(/^v/, '').split('.').map(Number);
  for (const [position, least] of MIN_VERSION.entries()) {
    const part = parts[position] ?? 0;
    if (part > least) return undefined;
    if (part < least)
      return `Lictor needs Node ${MIN_VERSION.join('.')} or later, this is ${version}: start it through its \`lictor\` wrapper`;
  }
  return undefined;
}
