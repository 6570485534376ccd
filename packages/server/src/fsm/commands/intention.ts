import type { IntentionRequest } from '@lictor/protocol';
import type { StateTxn } from '../../state/types.ts';
import { isObject } from '../catalog/shapes.ts';
import { total } from '../catalog/total.ts';
import { editIntentions, type IntentionEdit } from '../config-entries/intentions.ts';
import { putConfigEntry, removeConfigEntry } from '../config-entries/write.ts';
import type { CommandFailure, CommandHandlers } from '../types.ts';

export const INTENTION_APPLY = 'intention.apply';

export const intentionCommands = {
  [INTENTION_APPLY]: total(INTENTION_APPLY, isIntentionEdit, applyIntention),
} satisfies CommandHandlers;

function applyIntention(txn: StateTxn, edit: IntentionEdit, timeMs: number): null | CommandFailure {
  const outcome = editIntentions(txn, edit, timeMs);
  if (outcome === undefined) return null;
  const failure =
    outcome.next === undefined ? removeConfigEntry(txn, 'service-intentions', outcome.destination) : putConfigEntry(txn, outcome.next);
  return failure ?? null;
}

function isIntentionEdit(value: unknown): value is IntentionEdit {
  if (!isObject(value)) return false;
  switch (value.operation) {
    case 'create':
    case 'update':
      return typeof value.id === 'string' && isIntentionRequest(value.intention);
    case 'delete':
      return typeof value.id === 'string';
    case 'upsert':
      return isIntentionRequest(value.intention);
    case 'delete-exact':
      return [value.source, value.peer, value.destination].every((name) => typeof name === 'string');
    default:
      return false;
  }
}

const TEXT_FIELDS = [
  'ID',
  'Description',
  'SourceNS',
  'SourceName',
  'SourcePartition',
  'SourcePeer',
  'DestinationNS',
  'DestinationName',
  'DestinationPartition',
  'SourceType',
  'Action',
] as const;

function isIntentionRequest(value: unknown): value is IntentionRequest {
  return (
    isObject(value) &&
    TEXT_FIELDS.every((field) => typeof value[field] === 'string') &&
    Array.isArray(value.Permissions) &&
    isTextMap(value.Meta)
  );
}

function isTextMap(value: unknown): boolean {
  return isObject(value) && Object.values(value).every((text) => typeof text === 'string');
}
