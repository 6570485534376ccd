import type { ConfigEntry } from '@lictor/protocol';
import { configEntriesTable, configEntryKey } from '../../state/tables/config-entries.ts';
import type { StateReader, StateTxn } from '../../state/types.ts';
import { sameContent } from '../catalog/same-content.ts';
import { assignVirtualIp, holdsVirtualIp, releaseVirtualIp } from '../catalog/virtual-ips.ts';
import { CommandFailure } from '../types.ts';
import { findGraphProblem } from './graph.ts';

export function readConfigEntry(reader: StateReader, kind: string, name: string): ConfigEntry | undefined {
  return reader.get(configEntriesTable, configEntryKey(kind, name));
}

/** Writes a normalised entry, unless that would break another one or change nothing (consul-facts E019). */
export function putConfigEntry(txn: StateTxn, entry: ConfigEntry): CommandFailure | undefined {
  const existing = readConfigEntry(txn, entry.Kind, entry.Name);
  if (existing !== undefined && isSameEntry(existing, entry)) return undefined;
  const problem = findGraphProblem(txn, { kind: entry.Kind, name: entry.Name, next: entry });
  if (problem !== undefined) return new CommandFailure('rejected', problem);
  if (holdsVirtualIp(entry.Kind, entry.Name)) {
    const address = assignVirtualIp(txn, entry.Name);
    if (address instanceof CommandFailure) return address;
  }
  txn.put(configEntriesTable, entry);
  return undefined;
}

/** Idempotent, but refuses to take away what another entry needs. */
export function removeConfigEntry(txn: StateTxn, kind: string, name: string): CommandFailure | undefined {
  const existing = readConfigEntry(txn, kind, name);
  if (existing === undefined) return undefined;
  const problem = findGraphProblem(txn, { kind: existing.Kind, name: existing.Name, next: undefined });
  if (problem !== undefined) return new CommandFailure('rejected', problem);
  txn.remove(configEntriesTable, configEntryKey(kind, name));
  if (holdsVirtualIp(existing.Kind, existing.Name)) releaseVirtualIp(txn, existing.Name);
  return undefined;
}

/** The hash says at once when two entries differ; the content decides. */
export function isSameEntry(left: ConfigEntry, right: ConfigEntry): boolean {
  return left.Hash === right.Hash && sameContent(left, right);
}
