/** How an option's value is written in files and decoded. Durations are Go durations and decode to ms. */
export interface OptionValues {
  string: string;
  bool: boolean;
  int: number;
  float: number;
  duration: number;
  strings: readonly string[];
  stringMap: Readonly<Record<string, string>>;
  map: Readonly<Record<string, unknown>>;
  maps: readonly Readonly<Record<string, unknown>>[];
  service: unknown;
  services: unknown;
  check: unknown;
  checks: unknown;
}
export type OptionType = keyof OptionValues;

/**
 * - `inert`: accepted, so that Consul's files load, and reported by a warning because nothing here acts on it yet
 * - `enterprise`: accepted with Consul's warning, without effect
 * - `deprecated`: an old name; its value moves to `replacedBy`
 */
export type OptionStatus = 'active' | 'inert' | 'enterprise' | 'deprecated';

/** One line of the agent's configuration: the file key, its flag, and what the reference page says of it. */
export interface Option<K extends string = string, T extends OptionType = OptionType> {
  /** Dotted path in files: `acl.tokens.agent`. */
  readonly key: K;
  readonly type: T;
  readonly doc: string;
  /** The command-line flag, without its dash. */
  readonly flag?: string;
  /** As it would be written in a file. */
  readonly default?: unknown;
  /** Replaces the default under -dev. */
  readonly dev?: unknown;
  readonly status?: OptionStatus;
  readonly replacedBy?: string;
  /** Never printed. */
  readonly isSecret?: boolean;
}

export function option<const K extends string, const T extends OptionType>(
  key: K,
  type: T,
  doc: string,
  extra: Omit<Option, 'key' | 'type' | 'doc'> = {},
): Option<K, T> {
  return { key, type, doc, ...extra };
}

/** Said once for each option that is set and does nothing yet. */
export function inertWarning(key: string): string {
  return `"${key}" is accepted for compatibility and has no effect in this version of Lictor`;
}
