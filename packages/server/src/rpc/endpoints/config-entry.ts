import { checkConfigEntryKind, configEntryAcl, type AclRequirement, type Authorizer, isAuthorised, parseConfigEntry } from '@lictor/mesh';
import { type ConfigEntry, type ConfigEntryKind, LictorError } from '@lictor/protocol';
import {
  CONFIG_ENTRY_APPLY,
  CONFIG_ENTRY_DELETE,
  type ConfigEntryApplyBody,
  type ConfigEntryDeleteBody,
} from '../../fsm/commands/config-entry.ts';
import { isName } from '../../fsm/catalog/shapes.ts';
import { isSameEntry, readConfigEntry } from '../../fsm/config-entries/write.ts';
import { configEntriesTable, configEntryKindPrefix } from '../../state/tables/config-entries.ts';
import type { ReadEndpoint, ReadEndpoints, WriteEndpoint, WriteEndpoints } from '../types.ts';
import { permissionDenied, requireAccess, visible } from './shared/acl.ts';
import { configEntryFilter } from './shared/filter.ts';
import { measure } from './shared/measure.ts';
import { resolveConfigOf } from './shared/merge-central-config.ts';

/** Enterprise only: listing it answers that there are none, as Consul's open edition does. */
const SAMENESS_GROUP = 'sameness-group';

/** Writes one entry; writing what is there already is a success that leaves no trace (consul-facts E019). */
const apply: WriteEndpoint<'ConfigEntry.Apply'> = async (request, context) => {
  const entry = parseConfigEntry(request.entry);
  if (!isName(entry.Name))
    throw new LictorError('invalid-argument', `Invalid name ${JSON.stringify(entry.Name)}: control characters are not allowed`);
  authorizeAny(context.authorizer, configEntryAcl(entry.Kind, entry.Name).write);
  const reader = context.reader();
  const existing = readConfigEntry(reader, entry.Kind, entry.Name);
  if (existing !== undefined && isSameEntry(existing, entry)) return { index: reader.appliedIndex, value: true };
  const body: ConfigEntryApplyBody = { entry, ...(request.cas === undefined ? {} : { cas: request.cas }) };
  const { index, result } = await context.propose<boolean>(CONFIG_ENTRY_APPLY, body);
  return { index, value: result };
};

/** Idempotent; false only for a compare-and-set against another version. */
const remove: WriteEndpoint<'ConfigEntry.Delete'> = async (request, context) => {
  const kind = checkConfigEntryKind(request.kind);
  authorizeAny(context.authorizer, configEntryAcl(kind, request.name).write);
  const reader = context.reader();
  if (readConfigEntry(reader, kind, request.name) === undefined) return { index: reader.appliedIndex, value: true };
  const body: ConfigEntryDeleteBody = { kind, name: request.name, ...(request.cas === undefined ? {} : { cas: request.cas }) };
  const { index, result } = await context.propose<boolean>(CONFIG_ENTRY_DELETE, body);
  return { index, value: result };
};

const get: ReadEndpoint<'ConfigEntry.Get'> = (reader, request, context) => {
  if (request.kind === SAMENESS_GROUP) return readConfigEntry(reader, SAMENESS_GROUP, request.name) ?? null;
  const kind = checkConfigEntryKind(request.kind);
  authorizeAny(context.authorizer, configEntryAcl(kind, request.name).read);
  return readConfigEntry(reader, kind, request.name) ?? null;
};

/** An empty kind lists all. */
const list: ReadEndpoint<'ConfigEntry.List'> = (reader, request, context) => {
  const isAll = request.kind === '';
  if (!isAll && request.kind !== SAMENESS_GROUP) checkConfigEntryKind(request.kind);
  const matches = filterFor(request.kind, request.filter);
  const entries = [...reader.scan(configEntriesTable, isAll ? '' : configEntryKindPrefix(request.kind))];
  const mayRead = (entry: ConfigEntry): boolean => isAuthorised(context.authorizer, configEntryAcl(entry.Kind, entry.Name).read);
  return visible(context, entries, mayRead).filter(matches);
};

const resolveServiceConfig: ReadEndpoint<'ConfigEntry.ResolveServiceConfig'> = (reader, request, context) => {
  requireAccess(context.authorizer, 'service', request.service, 'read');
  return resolveConfigOf(reader, request.service, request.upstreams);
};

export const configEntryReads = {
  'ConfigEntry.Get': get,
  'ConfigEntry.List': list,
  'ConfigEntry.ResolveServiceConfig': resolveServiceConfig,
} satisfies ReadEndpoints;

export const configEntryWrites = {
  'ConfigEntry.Apply': (request, context) => measure(context, 'config_entry.apply', () => apply(request, context)),
  'ConfigEntry.Delete': (request, context) => measure(context, 'config_entry.delete', () => remove(request, context)),
} satisfies WriteEndpoints;

function filterFor(kind: string, filter: string | undefined): (entry: ConfigEntry) => boolean {
  if (filter === undefined || filter === '') return () => true;
  const filterable: ConfigEntryKind = 'service-defaults';
  if (kind !== filterable) throw new LictorError('rejected', `filtering not supported for config entry kind=${kind}`);
  return configEntryFilter(filter);
}

/** Any one of the requirements suffices; the first names the refusal. */
function authorizeAny(authorizer: Authorizer, requirements: readonly AclRequirement[]): void {
  if (isAuthorised(authorizer, requirements)) return;
  const [first] = requirements;
  throw permissionDenied(authorizer, first?.resource ?? 'operator', first?.segment ?? '', first?.access ?? 'write');
}
