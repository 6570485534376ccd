import { CONFIG_ENTRY_KINDS, type ConfigEntry, type ConfigEntryKind, DecodeError, decode, LictorError } from '@lictor/protocol';
import { contentHash } from '../content-hash.ts';
import { joinProblems, quote, rejected } from '../problems.ts';
import type { Shape } from '../shape/index.ts';
import { KINDS } from './kinds/index.ts';

/** What clients send back from a read; computed anew. */
const DERIVED_FIELDS = ['Hash', 'CreateIndex', 'ModifyIndex'];

/**
 * A config entry from a request or file (CamelCase or snake_case keys, HCL blocks or JSON): decoded, defaults filled in, validated. The
 * result has exactly the fields that Consul's GET shows, with a content hash and indexes 0.
 * @throws LictorError `invalid-argument` when it cannot be decoded, `rejected` when a rule refuses it
 */
export function parseConfigEntry(input: Readonly<Record<string, unknown>>): ConfigEntry {
  const kind = readKind(input);
  if (kind === 'sameness-group') throw rejected('sameness-groups are an enterprise-only feature');
  const definition = KINDS.get(kind);
  if (definition === undefined) throw new LictorError('invalid-argument', `invalid config entry kind: ${kind}`);
  const fields = definition.parse((shape) => decodeStrictly(shape, input));
  const content: Record<string, unknown> = { ...fields, Kind: definition.kind };
  for (const field of DERIVED_FIELDS) delete content[field];
  const name = definition.fixedName ?? (typeof content.Name === 'string' ? content.Name : '');
  return { ...content, Kind: definition.kind, Name: name, Hash: contentHash(content), CreateIndex: 0, ModifyIndex: 0 };
}

/**
 * Whether a stored entry can be read: a known kind with fields of its types. No rule is asked, for what an older version took must
 * stay readable.
 */
export function isReadableConfigEntry(entry: ConfigEntry): boolean {
  const definition = KINDS.get(entry.Kind);
  if (definition === undefined || typeof entry.Name !== 'string') return false;
  try {
    definition.read((shape) => decode(shape, encodeConfigEntry(entry)));
    return true;
  } catch (error) {
    if (error instanceof DecodeError) return false;
    throw error;
  }
}

/** @throws LictorError `rejected` for a kind that does not exist: what GET, LIST and DELETE answer */
export function checkConfigEntryKind(kind: string): ConfigEntryKind {
  const known = CONFIG_ENTRY_KINDS.find((candidate) => candidate === kind);
  if (known === undefined) throw rejected(`invalid config entry kind: ${kind}`);
  return known;
}

/** An entry as Consul's JSON shows it: a kind with one fixed name has no Name. */
export function encodeConfigEntry(entry: ConfigEntry): Record<string, unknown> {
  if (KINDS.get(entry.Kind)?.fixedName === undefined) return { ...entry };
  const { Name: _fixed, ...rest } = entry;
  return rest;
}

function readKind(input: Readonly<Record<string, unknown>>): string {
  const kind = input.Kind ?? input.kind;
  if (kind === undefined) throw new LictorError('invalid-argument', 'Payload does not contain a kind/Kind key at the top level');
  if (typeof kind !== 'string') throw new LictorError('invalid-argument', 'Kind value in payload is not a string');
  return kind;
}

function decodeStrictly<T>(shape: Shape<T>, input: Readonly<Record<string, unknown>>): T {
  try {
    return decode(shape, input, { unknownKeys: 'error', weak: true });
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    if (error.unknownKeys.length === 0) {
      throw new LictorError('invalid-argument', `1 error(s) decoding:\n\n* '${goPath(error.path)}': ${error.message}`, { cause: error });
    }
    throw new LictorError('invalid-argument', joinProblems(error.unknownKeys.map(describeUnknownKey)), { cause: error });
  }
}

function describeUnknownKey(path: string): string {
  const key = goPath(path);
  const folded = key.toLowerCase();
  if (folded.endsWith('namespace')) return `invalid config key ${quote(key)}, namespaces are a consul enterprise feature`;
  if (folded.includes('jwt')) return `invalid config key ${quote(key)}, api-gateway jwt validation is a consul enterprise feature`;
  return `invalid config key ${quote(key)}`;
}

/** `Sources.0.Name` as Go's decoder spells it: `Sources[0].Name`. */
function goPath(path: string): string {
  return path.replaceAll(/\.(\d+)(?=\.|$)/g, '[$1]');
}
