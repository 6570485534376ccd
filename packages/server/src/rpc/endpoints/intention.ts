import { evaluateIntention, intentionsOfEntry, matchIntentions, parseIntentionName, sortIntentions, type Verdict } from '@lictor/mesh';
import { type ConfigEntry, type Intention, LictorError, randomUuid, WILDCARD } from '@lictor/protocol';
import { INTENTION_APPLY } from '../../fsm/commands/intention.ts';
import { isName } from '../../fsm/catalog/shapes.ts';
import { editIntentions, findIntentionsEntryById, type IntentionEdit } from '../../fsm/config-entries/intentions.ts';
import { readConfigEntry } from '../../fsm/config-entries/write.ts';
import { configEntriesTable, configEntryKindPrefix } from '../../state/tables/config-entries.ts';
import { foldName } from '../../state/tables/keys.ts';
import type { StateReader } from '../../state/types.ts';
import type { ReadContext, ReadEndpoint, ReadEndpoints, WriteContext, WriteEndpoint, WriteEndpoints } from '../types.ts';
import { requireAccess, visible } from './shared/acl.ts';
import { intentionFilter } from './shared/filter.ts';
import { measure } from './shared/measure.ts';
import { lookUpUuid } from './shared/uuid.ts';

/** Only validation runs with this time: what is stored takes the proposal's. */
const VALIDATION_TIME_MS = 0;

/** POST /v1/connect/intentions, deprecated: answers the id. */
const create: WriteEndpoint<'Intention.Create'> = async (request, context) => {
  requireAccess(context.authorizer, 'intention', request.DestinationName, 'write');
  if (request.ID !== '') throw new LictorError('rejected', 'ID must be empty when creating a new intention');
  const id = randomUuid(context.random);
  const index = await propose({ operation: 'create', id, intention: request }, context);
  return { index, value: id };
};

const update: WriteEndpoint<'Intention.Update'> = async (request, context) => {
  requireIntentionWrite(request.id, `Cannot modify non-existent intention: '${request.id}'`, context);
  const index = await propose({ operation: 'update', id: request.id, intention: request.intention }, context);
  return { index, value: undefined };
};

const remove: WriteEndpoint<'Intention.Delete'> = async (request, context) => {
  requireIntentionWrite(request.id, `Cannot delete non-existent intention: '${request.id}'`, context);
  const index = await propose({ operation: 'delete', id: request.id }, context);
  return { index, value: undefined };
};

const upsertExact: WriteEndpoint<'Intention.UpsertExact'> = async (request, context) => {
  const SourceName = parseIntentionName(request.source, 'Source');
  const DestinationName = parseIntentionName(request.destination, 'Destination');
  requireAccess(context.authorizer, 'intention', DestinationName, 'write');
  const index = await propose({ operation: 'upsert', intention: { ...request.intention, SourceName, DestinationName } }, context);
  return { index, value: undefined };
};

/** Idempotent. */
const deleteExact: WriteEndpoint<'Intention.DeleteExact'> = async (request, context) => {
  const source = parseIntentionName(request.source, 'Source');
  const destination = parseIntentionName(request.destination, 'Destination');
  requireAccess(context.authorizer, 'intention', destination, 'write');
  const index = await propose({ operation: 'delete-exact', source, peer: '', destination }, context);
  return { index, value: undefined };
};

function requireIntentionWrite(id: string, missing: string, context: WriteContext): void {
  lookUpUuid(id, 'rejected', 'Intention lookup failed: failed config entry lookup: index error: ');
  const entry = findIntentionsEntryById(context.reader(), id);
  if (entry === undefined) throw new LictorError('rejected', missing);
  requireAccess(context.authorizer, 'intention', entry.Name, 'write');
}

/** What the state would refuse now is refused without an entry in the log. */
function propose(edit: IntentionEdit, context: WriteContext): Promise<number> {
  return measure(context, 'intention.apply', () => validateAndPropose(edit, context));
}

async function validateAndPropose(edit: IntentionEdit, context: WriteContext): Promise<number> {
  const reader = context.reader();
  const outcome = editIntentions(reader, edit, VALIDATION_TIME_MS);
  if (outcome === undefined) return reader.appliedIndex;
  if (!isName(outcome.destination)) throw new LictorError('invalid-argument', 'Invalid name: control characters are not allowed');
  const { index } = await context.propose(INTENTION_APPLY, edit);
  return index;
}

const list: ReadEndpoint<'Intention.List'> = (reader, request, context) => {
  const matches = intentionFilter(request.filter);
  const all = [...reader.scan(configEntriesTable, configEntryKindPrefix('service-intentions'))].flatMap(intentionsOfEntry);
  return sortIntentions(readable(all, context).filter(matches));
};

const get: ReadEndpoint<'Intention.Get'> = (reader, request, context) => {
  lookUpUuid(request.id, 'invalid-argument', 'failed config entry lookup: index error: ');
  const entry = findIntentionsEntryById(reader, request.id);
  const id = foldName(request.id);
  const found = entry === undefined ? undefined : intentionsOfEntry(entry).find((intention) => foldName(intention.ID) === id);
  return found === undefined ? null : singleObject(found, context);
};

const getExact: ReadEndpoint<'Intention.GetExact'> = (reader, request, context) => {
  const source = parseIntentionName(request.source, 'Source');
  const destination = parseIntentionName(request.destination, 'Destination');
  const found = intentionsFor(reader, destination).find((intention) => intention.SourceName === source && !intention.SourcePeer);
  return found === undefined ? null : singleObject(found, context);
};

const match: ReadEndpoint<'Intention.Match'> = (reader, request, context) => {
  const side = request.by === 'source' ? 'Source' : 'Destination';
  const names = request.names.map((name) => parseIntentionName(name, side));
  for (const name of names) if (name !== '') requireAccess(context.authorizer, 'intention', name, 'read');
  return names.map((name) => matchIntentions(candidates(reader, request.by, name), request.by, name));
};

/** What may match: by destination the entries of the name and of the wildcard, by source those that name either. */
function candidates(reader: StateReader, by: 'source' | 'destination', name: string): readonly Intention[] {
  if (by === 'destination') return [...intentionsFor(reader, name), ...(name === WILDCARD ? [] : intentionsFor(reader, WILDCARD))];
  const entries = new Map<string, ConfigEntry>();
  for (const source of new Set([name, WILDCARD])) {
    for (const entry of reader.find(configEntriesTable, 'intention-source', foldName(source))) entries.set(entry.Name, entry);
  }
  return [...entries.values()].flatMap(intentionsOfEntry);
}

function intentionsFor(reader: StateReader, destination: string): readonly Intention[] {
  const entry = readConfigEntry(reader, 'service-intentions', destination);
  return entry === undefined ? [] : intentionsOfEntry(entry);
}

/** Whether the L4 question would be answered with yes; rules with L7 permissions say no, as Consul does. */
function check(defaultVerdict: Verdict): ReadEndpoint<'Intention.Check'> {
  return (reader, request, context) => {
    const source = parseIntentionName(request.source, 'Source');
    const destination = parseIntentionName(request.destination, 'Destination');
    const sourceType = request.sourceType ?? 'consul';
    if (sourceType !== '' && sourceType !== 'consul') {
      throw new LictorError('rejected', `unsupported SourceType: ${JSON.stringify(sourceType)}`);
    }
    if (destination !== '') requireAccess(context.authorizer, 'service', destination, 'read');
    const intentions = candidates(reader, 'destination', destination);
    const decision = evaluateIntention({ source: { name: source }, destination, intentions, defaultVerdict });
    return { allowed: decision.verdict === 'allow' };
  };
}

/** `defaultVerdict` is what a pair without a matching intention gets (default_intention_policy). */
export function createIntentionReads(defaultVerdict: Verdict) {
  return {
    'Intention.List': list,
    'Intention.Get': get,
    'Intention.GetExact': getExact,
    'Intention.Match': match,
    'Intention.Check': check(defaultVerdict),
  } satisfies ReadEndpoints;
}

export const intentionWrites = {
  'Intention.Create': create,
  'Intention.Update': update,
  'Intention.Delete': remove,
  'Intention.UpsertExact': upsertExact,
  'Intention.DeleteExact': deleteExact,
} satisfies WriteEndpoints;

/** Reading the rules of either side shows an intention. */
function mayRead(intention: Intention, context: ReadContext): boolean {
  const { authorizer } = context;
  return (
    (intention.SourceName !== '' && authorizer.allows('intention', intention.SourceName, 'read')) ||
    (intention.DestinationName !== '' && authorizer.allows('intention', intention.DestinationName, 'read'))
  );
}

function readable(intentions: readonly Intention[], context: ReadContext): readonly Intention[] {
  return visible(context, intentions, (intention) => mayRead(intention, context));
}

function singleObject(intention: Intention, context: ReadContext): Intention {
  if (!mayRead(intention, context)) throw new LictorError('permission-denied', 'Permission denied');
  return intention;
}
