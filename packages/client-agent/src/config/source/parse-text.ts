import { HclError, type HclDocument, parseHcl, parseJsonWithPositions } from '@lictor/protocol';
import { ConfigError } from '../config-error.ts';
import { ALL_OPTIONS, inertWarning, type Option, OPTIONS_BY_KEY } from '../options/index.ts';
import { decodeOption, ValueError } from './decode-option.ts';
import type { RawConfig } from './raw.ts';

export type ConfigFormat = 'hcl' | 'json';

export interface ConfigText {
  /** A path, or `flags-0.hcl`. Named in errors. */
  readonly name: string;
  readonly format: ConfigFormat;
  readonly text: string;
}

export interface ParsedText {
  readonly values: RawConfig;
  readonly warnings: readonly string[];
}

/** Keys that only group others: `acl`, `acl.tokens`, `ports`. */
const GROUPS: ReadonlySet<string> = new Set(
  ALL_OPTIONS.flatMap(({ key }) => {
    const steps = key.split('.');
    return steps.slice(1).map((_, count) => steps.slice(0, count + 1).join('.'));
  }),
);
/** `service` merges into `services`, `check` into `checks`. */
const PLURAL: Readonly<Record<string, string>> = { service: 'services', check: 'checks' };

/** @throws ConfigError with file, line and key */
export function parseConfigText(source: ConfigText): ParsedText {
  const document = readDocument(source);
  refuseProtoKey(source, document);
  const found = new Map<string, unknown>();
  const unknown: string[] = [];
  const warnings: string[] = [];
  const visit = (container: Record<string, unknown>, prefix: string): void => {
    for (const [rawKey, value] of Object.entries(container)) {
      const key = prefix + rawKey.toLowerCase();
      const option = OPTIONS_BY_KEY.get(key);
      if (option !== undefined) readOption(source, document, option, value, found, unknown, warnings);
      else if (GROUPS.has(key)) visit(readGroup(source, document, key, value), `${key}.`);
      // JSON has no comments, so people write keys that start with an underscore or slashes; Consul refuses them, and so do we.
      else unknown.push(key);
    }
  };
  visit(document.value, '');
  if (unknown.length > 0) throw unknownKeys(source, document, unknown);
  return { values: found, warnings };
}

function readDocument(source: ConfigText): HclDocument {
  try {
    const options = { filename: source.name };
    // Consul reads both formats with one parser, for which an empty file is an empty configuration.
    return source.format === 'json' && source.text.trim() !== ''
      ? parseJsonWithPositions(source.text, options)
      : parseHcl(source.text, options);
  } catch (error) {
    if (!(error instanceof HclError)) throw error;
    throw new ConfigError(`failed to parse ${source.name}: At ${error.line}:${error.column}: ${error.reason}`, {
      file: source.name,
      line: error.line,
    });
  }
}

/** Nothing named so can be replicated: the codec of the servers' log refuses it (CVE-2023-52079). */
function refuseProtoKey(source: ConfigText, document: HclDocument): void {
  const visit = (value: unknown, path: readonly string[]): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const [key, child] of Object.entries(value)) {
      const here = [...path, key];
      if (key !== '__proto__') visit(child, here);
      else throw protoKeyError(source, document, here);
    }
  };
  if (/__proto__|\\u/i.test(source.text)) visit(document.value, []);
}

function protoKeyError(source: ConfigText, document: HclDocument, path: readonly string[]): ConfigError {
  const place = { file: source.name, line: document.lineOf(path), key: path.join('.') };
  return new ConfigError(`failed to parse ${source.name}: the key "__proto__" is refused`, place);
}

function readGroup(source: ConfigText, document: HclDocument, key: string, value: unknown): Record<string, unknown> {
  const blocks: unknown[] = Array.isArray(value) ? value : [value];
  const group = Object.create(null) as Record<string, unknown>;
  for (const block of blocks) {
    if (typeof block !== 'object' || block === null || Array.isArray(block)) {
      throw decodingError(source, document, key, [], `'${key}' expected a map, got '${block === null ? 'nil' : typeof block}'`);
    }
    Object.assign(group, block);
  }
  return group;
}

function readOption(
  source: ConfigText,
  document: HclDocument,
  option: Option,
  value: unknown,
  found: Map<string, unknown>,
  unknown: string[],
  warnings: string[],
): void {
  if (value === null) return;
  try {
    const decoded = decodeOption(option, value);
    if (option.status === 'enterprise') {
      if (!isEmpty(decoded)) warnings.push(`"${enterpriseName(option.key)}" is a Consul Enterprise configuration and will have no effect`);
      return;
    }
    const key = PLURAL[option.key] ?? option.key;
    const earlier = found.get(key);
    found.set(key, Array.isArray(earlier) && Array.isArray(decoded) ? [...(earlier as unknown[]), ...(decoded as unknown[])] : decoded);
    if (option.status === 'inert') warnings.push(inertWarning(option.key));
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    if (error.unknownKeys.length > 0) unknown.push(...error.unknownKeys.map((tail) => joinPath(option.key, tail)));
    else throw decodingError(source, document, option.key, error.path, error.message);
  }
}

function enterpriseName(key: string): string {
  return key === 'read_replica' || key === 'non_voting_server' ? 'read_replica (or the deprecated non_voting_server)' : key;
}

function isEmpty(value: unknown): boolean {
  if (value === '' || value === null) return true;
  return typeof value === 'object' && Object.keys(value as object).length === 0;
}

function decodingError(source: ConfigText, document: HclDocument, key: string, path: readonly string[], message: string): ConfigError {
  const place = { file: source.name, line: document.lineOf([...key.split('.'), ...path]), key: joinPath(key, path.join('.')) };
  // Durations are checked after decoding in Consul, and carry no decoder prefix there.
  if (message.startsWith(`${key}: `)) return new ConfigError(message, place);
  return new ConfigError(`failed to parse ${source.name}: 1 error(s) decoding:\n\n* ${message}`, place);
}

function unknownKeys(source: ConfigText, document: HclDocument, keys: readonly string[]): ConfigError {
  const lines = keys.map((key) => `\t* invalid config key ${key}`);
  const count = keys.length === 1 ? '1 error' : `${keys.length} errors`;
  const first = keys[0] ?? '';
  const path = first.replaceAll(/\[(\d+)\]/g, '.$1').split('.');
  return new ConfigError(`failed to parse ${source.name}: ${count} occurred:\n${lines.join('\n')}\n\n`, {
    file: source.name,
    line: document.lineOf(path),
    key: first,
  });
}

/** Consul writes list positions in brackets: `services[0].prot`. */
function joinPath(key: string, tail: string): string {
  if (tail === '') return key;
  return `${key}.${tail}`.replaceAll(/\.(\d+)(?=\.|$)/g, '[$1]');
}
