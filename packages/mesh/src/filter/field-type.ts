/**
 * What a filter can select: a description of one kind of object, in the shape that go-bexpr derives from Go structs. It says which selectors are
 * valid, which operators they take, and how to read the value from Lictor's own object.
 */
export type FieldType =
  | { readonly kind: 'string' | 'int' | 'bool' | 'float' }
  | { readonly kind: 'list'; readonly item: FieldType }
  /** Free keys. */
  | { readonly kind: 'map'; readonly value: FieldType }
  | FilterType;

/** The top-level description that `compileFilter` takes. */
export interface FilterType {
  readonly kind: 'struct';
  readonly fields: Readonly<Record<string, FilterField>>;
}

export interface FilterField {
  readonly type: FieldType;
  /** Reads the field from the object that has it. */
  readonly get: (owner: Readonly<Record<string, unknown>>) => unknown;
}

export const STRING: FieldType = { kind: 'string' };
export const INT: FieldType = { kind: 'int' };
export const BOOL: FieldType = { kind: 'bool' };
export const STRING_LIST: FieldType = { kind: 'list', item: STRING };
export const STRING_MAP: FieldType = { kind: 'map', value: STRING };

/** A struct whose fields carry their own names; an entry may name another property or read in its own way. */
export function fields(types: Readonly<Record<string, FieldType | FilterField>>): FilterType {
  const out: Record<string, FilterField> = {};
  for (const [name, entry] of Object.entries(types)) out[name] = 'get' in entry ? entry : { type: entry, get: (owner) => owner[name] };
  return { kind: 'struct', fields: out };
}

/** Reads a nested property: `at(STRING, 'service', 'Service')`. */
export function at(type: FieldType, ...path: readonly string[]): FilterField {
  return {
    type,
    get: (owner) => {
      let current: unknown = owner;
      for (const step of path) {
        if (typeof current !== 'object' || current === null) return undefined;
        current = (current as Record<string, unknown>)[step];
      }
      return current;
    },
  };
}
