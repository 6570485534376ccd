import type { ConfigEntryKind } from '@lictor/protocol';
import type { Shape } from '../shape/index.ts';

/** One kind of config entry. Everything that knows a kind's fields lies in its definition. */
export interface KindDefinition<T extends EntryFields = EntryFields> {
  readonly kind: ConfigEntryKind;
  readonly shape: Shape<T>;
  /** Fills in defaults, in place. Throws LictorError for what cannot be normalised. */
  normalise?(entry: T): void;
  /** @throws LictorError `rejected`, in Consul's words */
  validate(entry: T): void;
  /** Entries that only the leader's controllers write. */
  readonly isGenerated?: boolean;
}

/** Fields of every kind. */
export interface EntryFields {
  Name: string;
  Meta: Record<string, string>;
}

export function defineKind<T extends EntryFields>(definition: KindDefinition<T>): KindDefinition {
  // Definitions are looked up by kind, and an entry is decoded by its own definition's shape.
  return definition as unknown as KindDefinition;
}
