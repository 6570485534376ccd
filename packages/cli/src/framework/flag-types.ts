import { parseDuration } from '@lictor/protocol';
import { parseBool } from '@lictor/sdk';
import { type Flag, FlagError } from './flags.ts';

const MAX_UINT64 = 2n ** 64n - 1n;
const INTEGER = /^[+-]?(0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO]?[0-7_]+|[0-9][0-9_]*)$/;

export function booleanFlag(usage: string, initial = false): Flag<boolean> {
  return {
    usage,
    placeholder: '',
    isBoolean: true,
    initial,
    parse: (text) => {
      const value = parseBool(text);
      if (value === undefined) throw new FlagError('parse error');
      return value;
    },
  };
}

export function stringFlag(usage: string, initial = '', placeholder = 'value'): Flag<string> {
  return { usage, placeholder, initial, parse: (text) => text };
}

/** May be given more than once. */
export function listFlag(usage: string, placeholder = 'value'): Flag<readonly string[]> {
  return { usage, placeholder, initial: [], parse: (text, previous) => [...previous, text] };
}

/** `key=value`, may be given more than once. */
export function mapFlag(usage: string, placeholder = 'key=value'): Flag<Readonly<Record<string, string>>> {
  return {
    usage,
    placeholder,
    initial: {},
    parse: (text, previous) => {
      const equals = text.indexOf('=');
      if (equals < 0) throw new FlagError(`Missing "=" value in argument: ${text}`);
      const next: Record<string, string> = Object.assign(Object.create(null) as Record<string, string>, previous);
      next[text.slice(0, equals)] = text.slice(equals + 1);
      return next;
    },
  };
}

export function integerFlag(usage: string, initial = 0): Flag<number> {
  return {
    usage,
    placeholder: 'int',
    initial,
    parse: (text) => {
      const value = parseInteger(text);
      if (value > BigInt(Number.MAX_SAFE_INTEGER) || value < BigInt(Number.MIN_SAFE_INTEGER)) throw new FlagError('value out of range');
      return Number(value);
    },
  };
}

/** A number where it is exact, else a bigint. */
export function uint64Flag(usage: string): Flag<number | bigint> {
  return {
    usage,
    placeholder: 'uint',
    initial: 0,
    parse: (text) => {
      const value = parseInteger(text);
      if (value < 0n) throw new FlagError('parse error');
      if (value > MAX_UINT64) throw new FlagError('value out of range');
      return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
    },
  };
}

/** A Go duration, ms. */
export function durationFlag(usage: string, initialMs = 0): Flag<number> {
  return {
    usage,
    placeholder: 'duration',
    initial: initialMs,
    parse: (text) => {
      const durationMs = parseDuration(text);
      if (durationMs === undefined) throw new FlagError('parse error');
      return durationMs;
    },
  };
}

/** Go's base 0: decimal, 0x, 0b, 0o and leading-zero octal, with underscores. */
function parseInteger(text: string): bigint {
  if (!INTEGER.test(text)) throw new FlagError('parse error');
  const negative = text.startsWith('-');
  let digits = text.replace(/^[+-]/, '').replaceAll('_', '').toLowerCase();
  if (/^0\d/.test(digits)) digits = `0o${digits.slice(1)}`;
  try {
    const value = BigInt(digits);
    return negative ? -value : value;
  } catch {
    throw new FlagError('parse error');
  }
}
