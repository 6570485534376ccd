import { WILDCARD } from '@lictor/protocol';
import type { IntentionSourceFields, ServiceIntentions } from './entry-shape.ts';
import {
  byteLength,
  findMetaProblems,
  joinProblems,
  META_KEY_MAX_BYTES,
  META_MAX_PAIRS,
  META_VALUE_MAX_BYTES,
  quote,
  rejected,
} from '../problems.ts';
import { intentionPrecedence } from './precedence.ts';
import { validatePermission } from './validate-permission.ts';

/** `legacy`: a write through the endpoints with ids, whose sources carry id, times and meta; `config-entry`: all others. */
export type IntentionWriteMode = 'legacy' | 'config-entry';

export type JwtRequirement = NonNullable<ServiceIntentions['JWT']>;

/** Fills in type and precedence, upper-cases methods, sorts by precedence; drops legacy fields from writes that may not set them. In place. */
export function normaliseSources(entry: ServiceIntentions, mode: IntentionWriteMode): void {
  for (const source of entry.Sources) {
    if (source.Type === '') source.Type = 'consul';
    source.Precedence = intentionPrecedence(source.Name, entry.Name);
    if (mode === 'config-entry') {
      source.LegacyID = '';
      delete source.LegacyCreateTime;
      delete source.LegacyUpdateTime;
    }
    for (const permission of source.Permissions) {
      if (permission.HTTP !== undefined) permission.HTTP.Methods = permission.HTTP.Methods.map((method) => method.toUpperCase());
    }
  }
  entry.Sources = entry.Sources.toSorted((a, b) => b.Precedence - a.Precedence);
}

/** @throws LictorError `rejected`, in Consul's words */
export function validateIntentionsEntry(entry: ServiceIntentions, mode: IntentionWriteMode): void {
  if (entry.Name === '') throw rejected('Name is required');
  const wildcard = findWildcardProblem(entry.Name, '');
  if (wildcard !== undefined) throw rejected(wildcard);
  validateJwt(entry.JWT);
  if (mode === 'legacy' && Object.keys(entry.Meta).length > 0) throw rejected('Meta must be omitted for legacy intention writes');
  const meta = mode === 'legacy' ? [] : findMetaProblems(entry.Meta);
  if (meta.length > 0) throw rejected(joinProblems(meta));
  if (entry.Sources.length === 0) throw rejected('At least one source is required');
  const seen = new Set<string>();
  entry.Sources.forEach((source, index) => {
    const problem = findSourceProblem(source, mode) ?? findRuleProblem(source, entry.Name === WILDCARD, mode);
    if (problem !== undefined) throw rejected(`Sources[${index}]${problem}`);
    source.Permissions.forEach((permission, position) => {
      validatePermission(permission, `Sources[${index}].Permissions[${position}]`);
      validateJwt(permission.JWT);
    });
    const key = `${source.Peer}\0${source.Name}`;
    const peer = source.Peer === '' ? '' : `peer(${quote(source.Peer)}) `;
    if (seen.has(key)) throw rejected(`Sources[${index}] defines ${peer}${quote(source.Name)} more than once`);
    seen.add(key);
  });
}

function findSourceProblem(source: IntentionSourceFields, mode: IntentionWriteMode): string | undefined {
  if (source.Name === '') return '.Name is required';
  if (source.SamenessGroup !== '') return '.SamenessGroup: Sameness groups are a Consul Enterprise feature. ';
  const wildcard = findWildcardProblem(source.Name, source.Peer);
  if (wildcard !== undefined) return `.${wildcard}`;
  if (byteLength(source.Description) > META_VALUE_MAX_BYTES) return `.Description exceeds maximum length ${META_VALUE_MAX_BYTES}`;
  return mode === 'legacy' ? findLegacyProblem(source) : findModernProblem(source);
}

function findModernProblem(source: IntentionSourceFields): string | undefined {
  if (Object.keys(source.LegacyMeta).length > 0) return '.LegacyMeta must be omitted';
  if (source.LegacyCreateTime !== undefined) return '.LegacyCreateTime must be omitted';
  if (source.LegacyUpdateTime !== undefined) return '.LegacyUpdateTime must be omitted';
  return source.LegacyID === '' ? undefined : '.LegacyID must be omitted';
}

function findLegacyProblem(source: IntentionSourceFields): string | undefined {
  if (source.Peer !== '') return '.Peer cannot be set by legacy intentions';
  const meta = Object.entries(source.LegacyMeta);
  if (meta.length > META_MAX_PAIRS) return `.Meta exceeds maximum element count ${META_MAX_PAIRS}`;
  for (const [key, value] of meta) {
    if (byteLength(key) > META_KEY_MAX_BYTES) return `.Meta key ${quote(key)} exceeds maximum length ${META_KEY_MAX_BYTES}`;
    if (byteLength(value) > META_VALUE_MAX_BYTES) return `.Meta value for key ${quote(key)} exceeds maximum length ${META_VALUE_MAX_BYTES}`;
  }
  if (source.LegacyCreateTime === undefined) return '.LegacyCreateTime must be set';
  if (source.LegacyUpdateTime === undefined) return '.LegacyUpdateTime must be set';
  return source.LegacyID === '' ? '.LegacyID must be set' : undefined;
}

function findRuleProblem(source: IntentionSourceFields, isWildDestination: boolean, mode: IntentionWriteMode): string | undefined {
  const hasPermissions = source.Permissions.length > 0;
  if ((mode === 'legacy' || !hasPermissions) && source.Action !== 'allow' && source.Action !== 'deny')
    return ".Action must be set to 'allow' or 'deny'";
  if (hasPermissions && source.Action !== '') return '.Action must be omitted if Permissions are specified';
  if (hasPermissions && isWildDestination) return '.Permissions cannot be specified on intentions with wildcarded destinations';
  return source.Type === 'consul' ? undefined : ".Type must be set to 'consul'";
}

function findWildcardProblem(name: string, peer: string): string | undefined {
  if (name !== WILDCARD && name.includes(WILDCARD)) return "Name: wildcard character '*' cannot be used with partial values";
  if (peer.includes(WILDCARD)) return "Peer: cannot use wildcard '*' in peer";
  return undefined;
}

function validateJwt(requirement: JwtRequirement | undefined): void {
  const nameless = (requirement?.Providers ?? []).filter((provider) => provider.Name === '');
  if (nameless.length > 0) throw rejected(joinProblems(nameless.map(() => 'JWT provider name is required')));
}
