import { parseDuration } from '../encoding/duration.ts';
import { DecodeError, mismatch, type Schema } from './schema.ts';

export function string(): Schema<string> {
  return {
    goType: 'string',
    zero: () => '',
    decode: (value, context) => {
      if (value === null || value === undefined) return '';
      if (typeof value === 'string') return value;
      if (context.options.weak && (typeof value === 'number' || typeof value === 'boolean')) {
        return typeof value === 'boolean' ? (value ? '1' : '0') : String(value);
      }
      throw mismatch(context, value, 'string');
    },
  };
}

export function boolean(defaultValue = false): Schema<boolean> {
  return {
    goType: 'bool',
    zero: () => defaultValue,
    decode: (value, context) => {
      if (value === null || value === undefined) return defaultValue;
      if (typeof value === 'boolean') return value;
      if (context.options.weak) {
        if (value === 'true' || value === '1' || value === 1) return true;
        if (value === 'false' || value === '0' || value === 0 || value === '') return false;
      }
      throw mismatch(context, value, 'bool');
    },
  };
}

/** A safe integer within [`min`, `max`]. */
export function integer(min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER): Schema<number> {
  const goType = min >= 0 ? 'uint64' : 'int';
  return {
    goType,
    zero: () => 0,
    decode: (value, context) => {
      if (value === null || value === undefined) return 0;
      const number = context.options.weak && typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : value;
      if (typeof number !== 'number' || !Number.isInteger(number) || number < min || number > max) {
        throw mismatch(context, value, goType);
      }
      return number;
    },
  };
}

export function float(): Schema<number> {
  return {
    goType: 'float64',
    zero: () => 0,
    decode: (value, context) => {
      if (value === null || value === undefined) return 0;
      const number = context.options.weak && typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
      if (typeof number !== 'number' || !Number.isFinite(number)) throw mismatch(context, value, 'float64');
      return number;
    },
  };
}

/** A Go duration (`"10s"`) or a number of nanoseconds; decodes to milliseconds. */
export function duration(): Schema<number> {
  return {
    goType: 'time.Duration',
    zero: () => 0,
    decode: (value, context) => {
      if (value === null || value === undefined || value === '') return 0;
      if (typeof value === 'number' && Number.isFinite(value)) return value / 1e6;
      if (typeof value !== 'string') throw mismatch(context, value, 'time.Duration');
      const durationMs = parseDuration(value);
      if (durationMs === undefined) {
        throw new DecodeError(context.path.join('.'), `time: invalid duration ${JSON.stringify(value)}`);
      }
      return durationMs;
    },
  };
}

/** One of a closed set of words, the first being the zero value. */
export function oneOf<const Words extends readonly [string, ...string[]]>(...words: Words): Schema<Words[number]> {
  return {
    goType: 'string',
    zero: () => words[0],
    decode: (value, context) => {
      if (value === null || value === undefined) return words[0];
      if (typeof value !== 'string') throw mismatch(context, value, 'string');
      if (words.includes(value)) return value;
      const allowed = words.map((word) => JSON.stringify(word)).join(', ');
      throw new DecodeError(context.path.join('.'), `invalid value ${JSON.stringify(value)}: must be one of ${allowed}`);
    },
  };
}

/** Anything, kept as it is: opaque maps that only a proxy understands. */
export function unknown(): Schema<unknown> {
  return { goType: 'interface {}', zero: () => undefined, decode: (value) => value };
}
