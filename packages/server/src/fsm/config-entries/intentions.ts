import {
  checkLegacyEditAllowed,
  createIntentionsEntry,
  decodeIntentionsEntry,
  deleteSource,
  deleteSourceById,
  encodeIntentionsEntry,
  exactSource,
  type IntentionWriteMode,
  legacySource,
  type ServiceIntentions,
  updateSourceById,
  upsertSource,
} from '@lictor/mesh';
import { type ConfigEntry, type IntentionRequest, LictorError } from '@lictor/protocol';
import { configEntriesTable } from '../../state/tables/config-entries.ts';
import { foldName } from '../../state/tables/keys.ts';
import type { StateReader } from '../../state/types.ts';
import { readConfigEntry } from './write.ts';

/**
 * One change of one intention. It is carried as a change, not as the entry that it leads to: applied to the entry as it is then,
 * concurrent changes of one destination never lose each other.
 */
export type IntentionEdit =
  | { readonly operation: 'create'; readonly id: string; readonly intention: IntentionRequest }
  | { readonly operation: 'update'; readonly id: string; readonly intention: IntentionRequest }
  | { readonly operation: 'delete'; readonly id: string }
  | { readonly operation: 'upsert'; readonly intention: IntentionRequest }
  | { readonly operation: 'delete-exact'; readonly source: string; readonly peer: string; readonly destination: string };

/** What an edit makes of its destination's entry; without `next` the last source is gone, and the entry with it. */
export interface EditOutcome {
  readonly destination: string;
  readonly previous: ConfigEntry | undefined;
  readonly next: ConfigEntry | undefined;
}

/**
 * Pure, and run twice: before the edit is proposed, to refuse it early, and when it is applied. Undefined: nothing to do.
 * @throws LictorError `rejected`, in Consul's words
 */
export function editIntentions(reader: StateReader, edit: IntentionEdit, timeMs: number): EditOutcome | undefined {
  switch (edit.operation) {
    case 'create':
      return createLegacy(reader, edit.id, edit.intention, timeMs);
    case 'update':
      return updateLegacy(reader, edit.id, edit.intention, timeMs);
    case 'delete':
      return deleteLegacy(reader, edit.id);
    case 'upsert':
      return upsertExact(reader, edit.intention);
    case 'delete-exact':
      return deleteExact(reader, edit.source, edit.peer, edit.destination);
    default:
      throw new LictorError(
        'rejected',
        `Invalid Intention operation: ${String((edit satisfies never as { operation: unknown }).operation)}`,
      );
  }
}

export function findIntentionsEntryById(reader: StateReader, id: string): ConfigEntry | undefined {
  for (const entry of reader.find(configEntriesTable, 'intention-id', foldName(id))) return entry;
  return undefined;
}

function createLegacy(reader: StateReader, id: string, intention: IntentionRequest, timeMs: number): EditOutcome {
  const source = legacySource(intention, { id, now: toRfc3339(timeMs) });
  const previous = intentionsEntry(reader, intention.DestinationName);
  const edited = previous === undefined ? createIntentionsEntry(intention.DestinationName) : decodeIntentionsEntry(previous);
  if (previous !== undefined) checkLegacyEditAllowed(edited);
  edited.Sources.push(source);
  return finish(previous, edited, 'legacy');
}

function updateLegacy(reader: StateReader, id: string, intention: IntentionRequest, timeMs: number): EditOutcome {
  const previous = findIntentionsEntryById(reader, id);
  const missing = `Cannot modify non-existent intention: '${id}'`;
  if (previous === undefined) throw new LictorError('rejected', missing);
  if (intention.DestinationName !== previous.Name) {
    throw new LictorError('rejected', 'Cannot modify Destination partition/namespace/name for an intention once it exists.');
  }
  const source = legacySource(intention, { id, now: toRfc3339(timeMs) });
  const edited = decodeIntentionsEntry(previous);
  checkLegacyEditAllowed(edited);
  if (!updateSourceById(edited, id, source)) throw new LictorError('rejected', missing);
  return finish(previous, edited, 'legacy');
}

function deleteLegacy(reader: StateReader, id: string): EditOutcome {
  const previous = findIntentionsEntryById(reader, id);
  const missing = `Cannot delete non-existent intention: '${id}'`;
  if (previous === undefined) throw new LictorError('rejected', missing);
  const edited = decodeIntentionsEntry(previous);
  checkLegacyEditAllowed(edited);
  if (!deleteSourceById(edited, id)) throw new LictorError('rejected', missing);
  return finish(previous, edited, 'legacy');
}

function upsertExact(reader: StateReader, intention: IntentionRequest): EditOutcome {
  const previous = intentionsEntry(reader, intention.DestinationName);
  const source = exactSource(intention, previous === undefined ? undefined : (previous.Meta ?? {}));
  const edited = previous === undefined ? createIntentionsEntry(intention.DestinationName) : decodeIntentionsEntry(previous);
  upsertSource(edited, source);
  return finish(previous, edited, 'config-entry');
}

function deleteExact(reader: StateReader, source: string, peer: string, destination: string): EditOutcome | undefined {
  const previous = intentionsEntry(reader, destination);
  if (previous === undefined) return undefined;
  const edited = decodeIntentionsEntry(previous);
  if (!deleteSource(edited, source, peer)) return undefined;
  return finish(previous, edited, 'config-entry');
}

function finish(previous: ConfigEntry | undefined, edited: ServiceIntentions, mode: IntentionWriteMode): EditOutcome {
  const isEmpty = edited.Sources.length === 0;
  return { destination: edited.Name, previous, next: isEmpty ? undefined : encodeIntentionsEntry(edited, mode) };
}

function intentionsEntry(reader: StateReader, destination: string): ConfigEntry | undefined {
  return readConfigEntry(reader, 'service-intentions', destination);
}

function toRfc3339(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
