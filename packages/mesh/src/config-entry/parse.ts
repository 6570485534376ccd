import { CONFIG_ENTRY_KINDS, type ConfigEntry, type ConfigEntryKind, DecodeError, decode, LictorError } from '@lictor/protocol';
import { contentHash } from '../content-hash.ts';
import { joinProblems, quote, rejected } from '../problems.ts';
import type { EntryFields, KindDefinition } from './kind.ts';
import { KINDS } from './kinds/index.ts';

const INDEX_FIELDS = ['Hash', 'CreateIndex', 'ModifyIndex'];

/**
 * A config entry from a request or file (CamelCase or snake_case keys, HCL blocks or JSON): decoded, defaults filled in, validated. The
 * result has exactly the fields that Consul's GET shows, with a content hash and indexes 0.
 * @throws LictorError `invalid-argument` when it cannot be decoded, `rejected` when a rule refuses it
 */
export function parseConfigEntry(input: Readonly<Record<string, unknown>>): ConfigEntry {
  const kind = readKind(input);
  if (kind === 'sameness-group') throw rejected('sameness-groups are an enterprise-only feature');
  const definition = findKind(kind);
  const entry = decodeEntry(definition, input);
  definition.normalise?.(entry);
  definition.validate(entry);
  if (definition.isGenerated) throw rejected(`${kind} entries are written by the servers only`);
  return encodeEntry(definition, entry);
}

/** @throws LictorError `rejected` for a kind that does not exist: what GET, LIST and DELETE answer */
export function checkConfigEntryKind(kind: string): ConfigEntryKind {
  const known = CONFIG_ENTRY_KINDS.find((candidate) => candidate === kind);
  if (known === undefined) throw rejected(`invalid config entry kind: ${kind}`);
  return known;
}

/** A decoded entry from its shown form, for code that reads entries. */
export function decodeStored<T extends EntryFields>(definition: KindDefinition<T>, entry: ConfigEntry): T {
  return decode(definition.shape, entry);
}

export function encodeEntry<T extends EntryFields>(definition: KindDefinition<T>, entry: T): ConfigEntry {
  const fields = { ...(definition.shape.encodeKept(entry) as Record<string, unknown>) };
  for (const field of INDEX_FIELDS) delete fields[field];
  const content = { ...fields, Kind: definition.kind, Name: entry.Name };
  return { ...content, Hash: contentHash(content), CreateIndex: 0, ModifyIndex: 0 };
}

function readKind(input: Readonly<Record<string, unknown>>): string {
  const kind = input.Kind ?? input.kind;
  if (kind === undefined) throw new LictorError('invalid-argument', 'Payload does not contain a kind/Kind key at the top level');
  if (typeof kind !== 'string') throw new LictorError('invalid-argument', 'Kind value in payload is not a string');
  return kind;
}

function findKind(kind: string): KindDefinition {
  const definition = KINDS.get(kind);
  if (definition === undefined) throw new LictorError('invalid-argument', `invalid config entry kind: ${kind}`);
  return definition;
}

function decodeEntry(definition: KindDefinition, input: Readonly<Record<string, unknown>>): EntryFields {
  try {
    return decode(definition.shape, input, { unknownKeys: 'error', weak: true });
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
