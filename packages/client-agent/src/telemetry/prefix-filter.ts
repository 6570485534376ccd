/** Whether a metric is kept. */
export type PrefixFilter = (name: string) => boolean;

/** `telemetry.prefix_filter`: rules `+prefix` and `-prefix`, the longest that fits decides, `filter_default` without one. */
export function createPrefixFilter(rules: readonly string[], allowByDefault: boolean): PrefixFilter {
  const parsed = rules
    .filter((rule) => rule.startsWith('+') || rule.startsWith('-'))
    .map((rule) => ({ allow: rule.startsWith('+'), prefix: rule.slice(1) }))
    .sort((a, b) => b.prefix.length - a.prefix.length);
  return (name) => parsed.find(({ prefix }) => name.startsWith(prefix))?.allow ?? allowByDefault;
}
