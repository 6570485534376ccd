import { isReadableConfigEntry } from '@lictor/mesh';
import type { ConfigEntry } from '@lictor/protocol';
import type { StateTxn } from '../../state/types.ts';
import { isName, isObject } from '../catalog/shapes.ts';
import { total } from '../catalog/total.ts';
import { putConfigEntry, readConfigEntry, removeConfigEntry } from '../config-entries/write.ts';
import type { CommandFailure, CommandHandlers } from '../types.ts';

export const CONFIG_ENTRY_APPLY = 'config-entry.apply';
export const CONFIG_ENTRY_DELETE = 'config-entry.delete';

export interface ConfigEntryApplyBody {
  /** Normalised and validated. */
  readonly entry: ConfigEntry;
  /** Write only when the entry's ModifyIndex is this one; 0: only when there is none. */
  readonly cas?: number;
}

export interface ConfigEntryDeleteBody {
  readonly kind: string;
  readonly name: string;
  readonly cas?: number;
}

export const configEntryCommands = {
  [CONFIG_ENTRY_APPLY]: total(CONFIG_ENTRY_APPLY, isApplyBody, applyConfigEntry),
  [CONFIG_ENTRY_DELETE]: total(CONFIG_ENTRY_DELETE, isDeleteBody, deleteConfigEntry),
} satisfies CommandHandlers;

/** False when the compare-and-set did not apply. */
function applyConfigEntry(txn: StateTxn, { entry, cas }: ConfigEntryApplyBody): boolean | CommandFailure {
  if (!isCurrent(txn, entry.Kind, entry.Name, cas)) return false;
  return putConfigEntry(txn, entry) ?? true;
}

function deleteConfigEntry(txn: StateTxn, { kind, name, cas }: ConfigEntryDeleteBody): boolean | CommandFailure {
  if (!isCurrent(txn, kind, name, cas)) return false;
  return removeConfigEntry(txn, kind, name) ?? true;
}

function isCurrent(txn: StateTxn, kind: string, name: string, cas: number | undefined): boolean {
  if (cas === undefined) return true;
  return (readConfigEntry(txn, kind, name)?.ModifyIndex ?? 0) === cas;
}

function isApplyBody(value: unknown): value is ConfigEntryApplyBody {
  return isObject(value) && isEntry(value.entry) && isCas(value.cas);
}

function isEntry(value: unknown): value is ConfigEntry {
  if (!isObject(value) || typeof value.Name !== 'string' || !isName(value.Name)) return false;
  if (value.Kind === 'service-intentions' && !areSources(value.Sources)) return false;
  return isReadableConfigEntry(value as ConfigEntry);
}

/** What every list of intentions reads. Fields have their types; rules on their content may change while old logs are replayed. */
function areSources(value: unknown): boolean {
  return Array.isArray(value) && value.every((source) => isObject(source) && typeof source.Name === 'string');
}

function isDeleteBody(value: unknown): value is ConfigEntryDeleteBody {
  return isObject(value) && typeof value.kind === 'string' && typeof value.name === 'string' && isCas(value.cas);
}

function isCas(value: unknown): boolean {
  return value === undefined || typeof value === 'number';
}
