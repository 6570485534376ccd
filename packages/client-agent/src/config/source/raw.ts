import type { KeyOf, KnownOption } from '../options/index.ts';

/** What one source says: option key to decoded value. Absent keys are unset. */
export type RawConfig = ReadonlyMap<string, unknown>;

/**
 * Later sources win over earlier ones: lists append, maps overlay key by key, everything else is replaced (consul-facts K001).
 * Associative, so that files can be merged in any grouping.
 */
export function mergeRaw(sources: readonly RawConfig[]): RawConfig {
  const merged = new Map<string, unknown>();
  for (const source of sources) {
    for (const [key, value] of source) merged.set(key, mergeValue(merged.get(key), value));
  }
  return merged;
}

function mergeValue(earlier: unknown, later: unknown): unknown {
  if (Array.isArray(earlier) && Array.isArray(later)) return [...(earlier as unknown[]), ...(later as unknown[])];
  if (isPlainMap(earlier) && isPlainMap(later)) return Object.assign(Object.create(null) as object, earlier, later);
  return later;
}

/** Option maps are null-prototype objects; decoded definitions are not, and replace each other whole. */
function isPlainMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === null;
}

/** Typed access to a merged configuration; a key of the wrong type does not compile. */
export class RawReader {
  readonly #values: RawConfig;

  constructor(values: RawConfig) {
    this.#values = values;
  }

  isSet(key: KnownOption['key']): boolean {
    return this.#values.has(key);
  }

  string(key: KeyOf<'string'>): string {
    return (this.#values.get(key) as string | undefined) ?? '';
  }

  /** Undefined when no source sets it. */
  maybeBoolean(key: KeyOf<'bool'>): boolean | undefined {
    return this.#values.get(key) as boolean | undefined;
  }

  boolean(key: KeyOf<'bool'>): boolean {
    return this.maybeBoolean(key) ?? false;
  }

  integer(key: KeyOf<'int'>): number {
    return (this.#values.get(key) as number | undefined) ?? 0;
  }

  float(key: KeyOf<'float'>): number {
    return (this.#values.get(key) as number | undefined) ?? 0;
  }

  durationMs(key: KeyOf<'duration'>): number {
    return (this.#values.get(key) as number | undefined) ?? 0;
  }

  strings(key: KeyOf<'strings'>): readonly string[] {
    return (this.#values.get(key) as readonly string[] | undefined) ?? [];
  }

  stringMap(key: KeyOf<'stringMap'>): Readonly<Record<string, string>> {
    return (this.#values.get(key) as Record<string, string> | undefined) ?? {};
  }

  map(key: KeyOf<'map'>): Readonly<Record<string, unknown>> {
    return (this.#values.get(key) as Record<string, unknown> | undefined) ?? {};
  }

  maps(key: KeyOf<'maps'>): readonly Readonly<Record<string, unknown>>[] {
    return (this.#values.get(key) as Record<string, unknown>[] | undefined) ?? [];
  }

  /** The definitions under `service`/`services` or `check`/`checks`, decoded by their schema. */
  definitions<T>(key: 'services' | 'checks'): readonly T[] {
    return (this.#values.get(key) as T[] | undefined) ?? [];
  }
}
