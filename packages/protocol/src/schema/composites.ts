import { type DecodeContext, descend, type Infer, mismatch, type Schema } from './schema.ts';

type Fields = Readonly<Record<string, Schema<unknown>>>;
export interface OptionalSchema<T> extends Schema<T> {
  readonly isOptional: true;
}
type OptionalKeys<F extends Fields> = { [K in keyof F]: F[K] extends { readonly isOptional: true } ? K : never }[keyof F];
type RequiredKeys<F extends Fields> = Exclude<keyof F, OptionalKeys<F>>;
type Simplify<T> = { [K in keyof T]: T[K] };
export type ObjectOf<F extends Fields> = Simplify<{ [K in RequiredKeys<F>]: Infer<F[K]> } & { [K in OptionalKeys<F>]?: Infer<F[K]> }>;

export interface ObjectSchema<F extends Fields> extends Schema<ObjectOf<F>> {
  readonly fields: F;
}

export interface ObjectOptions {
  /** Other names of a field, in any casing: `{ ScriptArgs: ['args'] }`. */
  readonly aliases?: Readonly<Record<string, readonly string[]>>;
}

/** An object with known fields. Its zero value has every required field at its own zero. */
export function object<F extends Fields>(fields: F, options: ObjectOptions = {}): ObjectSchema<F> {
  const names = fieldNames(fields, options);
  const required = Object.entries(fields).filter(([, schema]) => !schema.isOptional);
  const zero = (): ObjectOf<F> => {
    const out: Record<string, unknown> = {};
    for (const [name, schema] of required) out[name] = schema.zero();
    return out as ObjectOf<F>;
  };
  return {
    goType: 'struct',
    fields,
    zero,
    decode: (value, context) => {
      if (value === null || value === undefined) return zero();
      const source = context.options.weak && Array.isArray(value) && value.length === 1 ? (value[0] as unknown) : value;
      if (typeof source !== 'object' || source === null || Array.isArray(source)) throw mismatch(context, value, 'struct');
      const found = readFields(source, fields, names, context);
      const out: Record<string, unknown> = {};
      for (const [name, schema] of Object.entries(fields)) {
        if (name in found) out[name] = found[name];
        else if (!schema.isOptional) out[name] = schema.zero();
      }
      return out as ObjectOf<F>;
    },
  };
}

function fieldNames(fields: Fields, options: ObjectOptions): Map<string, string> {
  const names = new Map<string, string>();
  for (const name of Object.keys(fields)) names.set(foldKey(name), name);
  for (const [name, aliases] of Object.entries(options.aliases ?? {})) {
    for (const alias of aliases) names.set(foldKey(alias), name);
  }
  return names;
}

function readFields(source: object, fields: Fields, names: Map<string, string>, context: DecodeContext): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(source)) {
    const name = names.get(foldKey(key));
    const schema = name === undefined ? undefined : fields[name];
    if (name === undefined || schema === undefined) {
      context.unknown.push([...context.path, key].join('.'));
      continue;
    }
    if (schema.isOptional && (value === null || value === undefined)) continue;
    found[name] = schema.decode(value, descend(context, name));
  }
  return found;
}

/** Go matches JSON keys without regard to case; Consul's files use snake_case for the same fields. */
function foldKey(key: string): string {
  return key.toLowerCase().replaceAll('_', '');
}

/** A field that stays absent when the input does not have it. */
export function optional<T>(schema: Schema<T>): OptionalSchema<T> {
  return {
    get goType() {
      return schema.goType;
    },
    zero: () => schema.zero(),
    decode: (value, context) => schema.decode(value, context),
    isOptional: true,
  };
}

/** A list; missing or null is empty. */
export function list<T>(item: Schema<T>, maxItems = 100_000): Schema<T[]> {
  const goType = `[]${item.goType}`;
  return {
    goType,
    zero: () => [],
    decode: (value, context) => {
      if (value === null || value === undefined) return [];
      if (!Array.isArray(value)) {
        if (context.options.weak) return [item.decode(value, context)];
        throw mismatch(context, value, goType);
      }
      if (value.length > maxItems) throw mismatch(context, value, `${goType} of at most ${maxItems} items`);
      return value.map((element, position) => item.decode(element, descend(context, String(position))));
    },
  };
}

/** A map with free keys, kept verbatim on a null-prototype object; missing or null is empty. */
export function record<T>(item: Schema<T>): Schema<Record<string, T>> {
  const goType = `map[string]${item.goType}`;
  return {
    goType,
    zero: () => Object.create(null) as Record<string, T>,
    decode: (value, context) => {
      const out = Object.create(null) as Record<string, T>;
      if (value === null || value === undefined) return out;
      const source = context.options.weak && isBlockList(value) ? Object.assign(Object.create(null), ...value) : value;
      if (typeof source !== 'object' || source === null || Array.isArray(source)) throw mismatch(context, value, goType);
      for (const [key, element] of Object.entries(source as object)) out[key] = item.decode(element, descend(context, key));
      return out;
    },
  };
}

/** HCL's form of a map: its blocks, to be merged. */
function isBlockList(value: unknown): value is readonly object[] {
  return Array.isArray(value) && value.every((block) => typeof block === 'object' && block !== null && !Array.isArray(block));
}

/** Null (or missing) stays null: for fields whose JSON tells `null` from empty. */
export function nullable<T>(schema: Schema<T>): Schema<T | null> {
  return {
    goType: schema.goType,
    zero: () => null,
    decode: (value, context) => (value === null || value === undefined ? null : schema.decode(value, context)),
  };
}

/** For recursive types: the schema is built at first use. */
export function lazy<T>(build: () => Schema<T>): Schema<T> {
  let built: Schema<T> | undefined;
  const get = (): Schema<T> => {
    built ??= build();
    return built;
  };
  return {
    get goType() {
      return get().goType;
    },
    zero: () => get().zero(),
    decode: (value, context) => get().decode(value, context),
  };
}
