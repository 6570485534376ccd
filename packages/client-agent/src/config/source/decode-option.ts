import { checkDefinition, DecodeError, type DecodeOptions, decode, parseDuration, serviceDefinition } from '@lictor/protocol';
import type { Option } from '../options/index.ts';

/** Files are decoded as mapstructure does it: unknown keys are errors, one block may stand for a list. */
const FILE_DECODING: DecodeOptions = { unknownKeys: 'error', weak: true };

/** Why a value does not fit its option. `path` leads from the option to the offending value. */
export class ValueError extends Error {
  override readonly name = 'ValueError';
  readonly path: readonly string[];
  readonly unknownKeys: readonly string[];

  constructor(message: string, path: readonly string[] = [], unknownKeys: readonly string[] = []) {
    super(message);
    this.path = path;
    this.unknownKeys = unknownKeys;
  }
}

/**
 * @returns the decoded value; `service` and `check` give a list of one, so that they merge with `services` and `checks`
 * @throws ValueError
 */
export function decodeOption(option: Option, value: unknown): unknown {
  switch (option.type) {
    case 'string':
      return expect(option, value, 'string', (candidate) => typeof candidate === 'string');
    case 'bool':
      return expect(option, value, 'bool', (candidate) => typeof candidate === 'boolean');
    case 'int':
      return expect(option, value, 'int', (candidate) => Number.isSafeInteger(candidate));
    case 'float':
      return expect(option, value, 'float64', (candidate) => typeof candidate === 'number' && Number.isFinite(candidate));
    case 'duration':
      return decodeDuration(option, value);
    case 'strings':
      return decodeStrings(option, value);
    case 'stringMap':
      return decodeStringMap(option, value);
    case 'map':
      return unwrapBlocks(asObject(option, value));
    case 'maps':
      return asObjects(option, value);
    case 'service':
      return [decodeDefinition(serviceDefinition, unwrapOne(value))];
    case 'check':
      return [decodeDefinition(checkDefinition, unwrapOne(value))];
    case 'services':
      return asObjects(option, value).map((item, position) => decodeDefinition(serviceDefinition, item, [String(position)]));
    case 'checks':
      return asObjects(option, value).map((item, position) => decodeDefinition(checkDefinition, item, [String(position)]));
  }
}

function expect(option: Option, value: unknown, goType: string, accepts: (value: unknown) => boolean): unknown {
  const single = unwrapOne(value);
  if (accepts(single)) return single;
  throw mismatch(option, goType, single);
}

function decodeDuration(option: Option, value: unknown): number {
  const single = unwrapOne(value);
  if (typeof single !== 'string') throw mismatch(option, 'string', single);
  const durationMs = parseDuration(single);
  if (durationMs === undefined) {
    throw new ValueError(`${option.key}: invalid duration: ${JSON.stringify(single)}: time: invalid duration ${JSON.stringify(single)}`);
  }
  return durationMs;
}

function decodeStrings(option: Option, value: unknown): string[] {
  if (!Array.isArray(value)) {
    throw new ValueError(`'${option.key}': source data must be an array or slice, got ${goKind(value)}`);
  }
  return value.map((item: unknown, position) => {
    if (typeof item !== 'string') throw mismatch(option, 'string', item, [String(position)]);
    return item;
  });
}

function decodeStringMap(option: Option, value: unknown): Record<string, string> {
  const out = Object.create(null) as Record<string, string>;
  for (const [key, item] of Object.entries(asObject(option, value))) {
    if (typeof item !== 'string') throw mismatch(option, 'string', item, [key]);
    out[key] = item;
  }
  return out;
}

/** One object, or several blocks of the same name laid over each other. */
function asObject(option: Option, value: unknown): Record<string, unknown> {
  const parts: unknown[] = Array.isArray(value) ? value : [value];
  const out = Object.create(null) as Record<string, unknown>;
  for (const part of parts) {
    if (!isObject(part)) throw new ValueError(`'${option.key}' expected a map, got '${goKind(part)}'`);
    Object.assign(out, part);
  }
  return out;
}

function asObjects(option: Option, value: unknown): Record<string, unknown>[] {
  const items: unknown[] = Array.isArray(value) ? value : [value];
  return items.map((item, position) => {
    if (!isObject(item)) throw new ValueError(`'${option.key}[${position}]' expected a map, got '${goKind(item)}'`, [String(position)]);
    return item;
  });
}

/** HCL blocks inside opaque maps become maps, as in Consul. */
function unwrapBlocks(value: Record<string, unknown>): Record<string, unknown> {
  const out = Object.create(null) as Record<string, unknown>;
  for (const [key, item] of Object.entries(value)) {
    const single: unknown = Array.isArray(item) && item.length === 1 && isObject(item[0]) ? item[0] : item;
    out[key] = isObject(single) ? unwrapBlocks(single) : single;
  }
  return out;
}

function decodeDefinition<T>(schema: Parameters<typeof decode<T>>[0], value: unknown, prefix: readonly string[] = []): T {
  if (!isObject(value)) throw new ValueError(`expected a map, got '${goKind(value)}'`, prefix);
  try {
    return decode(schema, value, FILE_DECODING);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    const path = error.path === '' ? prefix : [...prefix, ...error.path.split('.')];
    throw new ValueError(
      error.message,
      path,
      error.unknownKeys.map((key) => [...prefix, key].join('.')),
    );
  }
}

function mismatch(option: Option, goType: string, value: unknown, path: readonly string[] = []): ValueError {
  const name = [option.key, ...path].join('.');
  const shown = option.isSecret === true || typeof value === 'object' ? '' : `, value: '${JSON.stringify(value)}'`;
  return new ValueError(`'${name}' expected type '${goType}', got unconvertible type '${goKind(value)}'${shown}`, path);
}

function unwrapOne(value: unknown): unknown {
  return Array.isArray(value) && value.length === 1 ? (value[0] as unknown) : value;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function goKind(value: unknown): string {
  if (value === null || value === undefined) return 'nil';
  if (Array.isArray(value)) return 'slice';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'float64';
  return typeof value === 'object' ? 'map' : typeof value;
}
