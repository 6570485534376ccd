import type { ConfigEntryKind } from '@lictor/protocol';
import type { Shape } from '../shape/index.ts';

/** One kind of config entry. Everything that knows a kind's fields lies in its definition. */
export interface KindRules<T> {
  readonly kind: ConfigEntryKind;
  readonly shape: Shape<T>;
  /** Fills in defaults, in place. @throws LictorError for what cannot be normalised */
  readonly normalise?: (entry: T) => void;
  /** @throws LictorError `rejected`, in Consul's words */
  readonly validate: (entry: T) => void;
  /** For the kind whose only entry has no Name of its own in Consul's JSON. */
  readonly fixedName?: string;
}

/** A kind whose entry type is its own affair: input goes in, the stored form comes out. */
export interface KindDefinition {
  readonly kind: ConfigEntryKind;
  readonly fixedName?: string;
  /**
   * Decodes, normalises and validates.
   * @throws DecodeError when `decodeWith` does; LictorError `rejected`
   */
  parse(decodeWith: <T>(shape: Shape<T>) => T): Readonly<Record<string, unknown>>;
  /** Decodes alone: whether every field has its type. @throws DecodeError when `decodeWith` does */
  read(decodeWith: <T>(shape: Shape<T>) => T): void;
}

export function defineKind<T>(rules: KindRules<T>): KindDefinition {
  return {
    kind: rules.kind,
    ...(rules.fixedName !== undefined && { fixedName: rules.fixedName }),
    read: (decodeWith) => void decodeWith(rules.shape),
    parse: (decodeWith) => {
      const entry = decodeWith(rules.shape);
      rules.normalise?.(entry);
      rules.validate(entry);
      return rules.shape.encodeKept(entry) as Record<string, unknown>;
    },
  };
}
