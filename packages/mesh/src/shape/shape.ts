import { formatDuration, schema } from '@lictor/protocol';

/**
 * A schema that also knows how Consul shows a value: which zero fields its JSON leaves out. One declaration per kind gives decoding, types
 * and the form that GET answers.
 */
export interface Shape<T> extends schema.Schema<T> {
  /** The JSON form, or undefined where the field is left out. */
  encode(value: T): unknown;
  /** The JSON form of a field that is always shown. */
  encodeKept(value: T): unknown;
}
export type OptionalShape<T> = Shape<T> & { readonly isOptional: true };
export type ShapeFields = Readonly<Record<string, Shape<unknown>>>;

export const text = (): Shape<string> => scalar(schema.string(), (value) => value === '');
export const flag = (): Shape<boolean> => scalar(schema.boolean(), (value) => !value);
export const int = (): Shape<number> => scalar(schema.integer(), (value) => value === 0);
export const float = (): Shape<number> => scalar(schema.float(), (value) => value === 0);
/** Milliseconds inside, `"5s"` outside. */
export const duration = (): Shape<number> => ({
  ...schema.duration(),
  encode: (value) => (value === 0 ? undefined : formatDuration(value)),
  encodeKept: (value) => formatDuration(value),
});
/** Milliseconds inside, nanoseconds outside, as Go shows a plain `time.Duration`. */
export const nanoseconds = (): Shape<number> => ({
  ...schema.duration(),
  encode: (value) => (value === 0 ? undefined : Math.round(value * 1e6)),
  encodeKept: (value) => Math.round(value * 1e6),
});

function scalar<T>(base: schema.Schema<T>, isZero: (value: T) => boolean): Shape<T> {
  return { ...base, encode: (value) => (isZero(value) ? undefined : value), encodeKept: (value) => value };
}

/** Fields beside each other; shown as an object even when it is empty. */
export function struct<F extends ShapeFields>(fields: F): Shape<schema.Infer<schema.ObjectSchema<F>>> {
  const base = schema.object(fields);
  const encodeKept = (value: schema.Infer<schema.ObjectSchema<F>>): unknown => {
    const source = value as Record<string, unknown>;
    const out: Record<string, unknown> = {};
    for (const [name, shape] of Object.entries(fields)) {
      const member = source[name];
      if (member === undefined) {
        if (!shape.isOptional) continue;
        const absent = shape.encode(undefined);
        if (absent !== undefined) out[name] = absent;
        continue;
      }
      const encoded = shape.encode(member);
      if (encoded !== undefined) out[name] = encoded;
    }
    return out;
  };
  return { ...base, encode: encodeKept, encodeKept } as Shape<schema.Infer<schema.ObjectSchema<F>>>;
}

export function listOf<T>(item: Shape<T>): Shape<T[]> {
  const base = schema.list(item, 10_000);
  return {
    ...base,
    encode: (value) => (value.length === 0 ? undefined : value.map((element) => item.encodeKept(element))),
    encodeKept: (value) => (value.length === 0 ? null : value.map((element) => item.encodeKept(element))),
  };
}

export function mapOf<T>(item: Shape<T>): Shape<Record<string, T>> {
  const encodeAll = (value: Record<string, T>): Record<string, unknown> => {
    const out = Object.create(null) as Record<string, unknown>;
    for (const [key, element] of Object.entries(value)) out[key] = item.encodeKept(element);
    return out;
  };
  return {
    ...schema.record(item),
    encode: (value) => (Object.keys(value).length === 0 ? undefined : encodeAll(value)),
    encodeKept: (value) => (Object.keys(value).length === 0 ? null : encodeAll(value)),
  };
}

/** A free map whose values only a proxy understands. */
export const opaque = (): Shape<Record<string, unknown>> =>
  mapOf({ ...schema.unknown(), encode: (value) => value, encodeKept: (value) => value });

/** Absent and zero differ (Go's pointers): a field that was given is shown whatever its value. */
export function pointer<T>(shape: Shape<T>): OptionalShape<T> {
  const encode = (value: T | undefined): unknown => (value === undefined ? undefined : shape.encodeKept(value));
  return { ...shape, isOptional: true, encode, encodeKept: encode };
}

/** A pointer that is shown as null when absent. */
export function nullPointer<T>(shape: Shape<T>): OptionalShape<T> {
  const encode = (value: T | undefined): unknown => (value === undefined ? null : shape.encodeKept(value));
  return { ...shape, isOptional: true, encode, encodeKept: encode };
}

/** Shown even when zero. */
export function kept<T>(shape: Shape<T>): Shape<T> {
  return { ...shape, encode: (value) => shape.encodeKept(value) };
}
