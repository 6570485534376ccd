/**
 * Schemas decode what clients and files send into complete, typed objects: one declaration gives the TypeScript type,
 * the accepted JSON and HCL keys, the zero values and the error texts.
 *
 * 1. Keys match as Go's JSON and mapstructure do: without regard to case or underscores (`ServiceID`, `serviceid`, `service_id`).
 * 2. A missing or null field takes Go's zero value, so decoded objects are complete; `optional` fields may be absent.
 * 3. Records (`Meta`, `Config`) keep their keys verbatim on null-prototype objects, so `__proto__` is just a key.
 * 4. Decoding never mutates its input, and what it returns shares nothing with it but opaque values.
 */
export interface Schema<T> {
  /** Go's word for the expected type, as error texts name it: `string`, `int`, `[]string`. */
  readonly goType: string;
  /** @throws DecodeError when `value` does not fit. */
  decode(value: unknown, context: DecodeContext): T;
  /** The value of a missing field; undefined makes the field optional. */
  readonly zero: () => T;
  readonly isOptional?: boolean;
}

export type Infer<S> = S extends Schema<infer T> ? T : never;

export interface DecodeOptions {
  /** `error` collects unknown keys into one DecodeError, as config files and config entries do; `ignore` is Go's JSON default. */
  readonly unknownKeys?: 'ignore' | 'error';
  /** Accept numbers and booleans in strings and one value for a list, as mapstructure's weak decoding of HCL does. */
  readonly weak?: boolean;
}

export interface DecodeContext {
  readonly options: DecodeOptions;
  /** Keys from the root to the value being decoded. */
  readonly path: readonly string[];
  /** Dotted paths of keys that no schema names. */
  readonly unknown: string[];
}

export class DecodeError extends Error {
  override readonly name = 'DecodeError';
  /** Dotted path of the offending value, empty at the root. */
  readonly path: string;
  readonly unknownKeys: readonly string[];

  constructor(path: string, message: string, unknownKeys: readonly string[] = []) {
    super(message);
    this.path = path;
    this.unknownKeys = unknownKeys;
  }
}

/** @throws DecodeError */
export function decode<T>(schema: Schema<T>, value: unknown, options: DecodeOptions = {}): T {
  const context: DecodeContext = { options, path: [], unknown: [] };
  const decoded = schema.decode(value, context);
  if (options.unknownKeys === 'error' && context.unknown.length > 0) {
    const lines = context.unknown.map((key) => `\t* invalid config key ${key}`);
    const count = lines.length === 1 ? '1 error' : `${lines.length} errors`;
    throw new DecodeError(context.unknown[0] ?? '', `${count} occurred:\n${lines.join('\n')}\n\n`, context.unknown);
  }
  return decoded;
}

export function descend(context: DecodeContext, key: string): DecodeContext {
  return { options: context.options, path: [...context.path, key], unknown: context.unknown };
}

/** Go's wording for a JSON value of the wrong kind. */
export function mismatch(context: DecodeContext, value: unknown, goType: string): DecodeError {
  const path = context.path.join('.');
  const where = path === '' ? 'Go value' : `Go struct field .${path}`;
  return new DecodeError(path, `json: cannot unmarshal ${jsonKind(value)} into ${where} of type ${goType}`);
}

function jsonKind(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'number') return Number.isInteger(value) ? 'number' : `number ${value}`;
  return typeof value;
}
