import { parseDuration } from '@lictor/protocol';
import { ConfigError } from '../config-error.ts';
import { inertWarning, type Option, OPTIONS_BY_FLAG } from '../options/index.ts';
import type { RawConfig } from './raw.ts';

/** Flag name (without its dash) to its values, in the order given. */
export type FlagValues = ReadonlyMap<string, readonly string[]>;

export interface FlagSources {
  /** Lists come before those of files, as in Consul; everything else wins over files. */
  readonly lists: RawConfig;
  readonly values: RawConfig;
  readonly warnings: readonly string[];
}

/** @throws ConfigError */
export function readFlags(flags: FlagValues): FlagSources {
  const lists = new Map<string, unknown>();
  const values = new Map<string, unknown>();
  const warnings: string[] = [];
  for (const [name, texts] of flags) {
    const option = OPTIONS_BY_FLAG.get(name);
    if (option === undefined) continue;
    if (option.status === 'enterprise') {
      warnings.push(`"${option.key}" is a Consul Enterprise configuration and will have no effect`);
      continue;
    }
    if (option.replacedBy !== undefined) warnings.push(deprecation(option));
    if (option.status === 'inert') warnings.push(inertWarning(option.key));
    const target = option.type === 'strings' ? lists : values;
    const key = option.replacedBy ?? option.key;
    const decoded = decodeFlag(option, texts);
    const earlier = target.get(key);
    target.set(key, Array.isArray(earlier) && Array.isArray(decoded) ? [...(earlier as unknown[]), ...(decoded as unknown[])] : decoded);
  }
  return { lists, values, warnings };
}

function deprecation(option: Option): string {
  const replacement = option.replacedBy?.replaceAll('_', '-') ?? '';
  return `The flag '-${option.flag}' is deprecated. Use the '-${replacement}' flag instead.`;
}

function decodeFlag(option: Option, texts: readonly string[]): unknown {
  const last = texts.at(-1) ?? '';
  switch (option.type) {
    case 'strings':
      return [...texts];
    case 'stringMap':
      return decodePairs(texts);
    case 'bool':
      return decodeBoolean(option, last);
    case 'int':
      if (/^[+-]?\d+$/.test(last) && Number.isSafeInteger(Number(last))) return Number(last);
      throw invalid(option, last, 'parse error');
    case 'duration': {
      const durationMs = parseDuration(last);
      if (durationMs === undefined) throw invalid(option, last, 'parse error');
      return durationMs;
    }
    default:
      return last;
  }
}

function decodePairs(texts: readonly string[]): Record<string, string> {
  const out = Object.create(null) as Record<string, string>;
  for (const text of texts) {
    const colon = text.indexOf(':');
    if (colon === -1) out[text] = '';
    else out[text.slice(0, colon)] = text.slice(colon + 1);
  }
  return out;
}

/** Go's strconv.ParseBool. */
function decodeBoolean(option: Option, text: string): boolean {
  if (['1', 't', 'T', 'true', 'TRUE', 'True', ''].includes(text)) return true;
  if (['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(text)) return false;
  throw invalid(option, text, 'parse error');
}

function invalid(option: Option, text: string, reason: string): ConfigError {
  return new ConfigError(`invalid value ${JSON.stringify(text)} for flag -${option.flag}: ${reason}`, { key: option.key });
}
