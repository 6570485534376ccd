import type { ConfigEntry } from '@lictor/protocol';
import type { Table } from '../types.ts';
import { compositeKey, foldName, keyPrefix } from './keys.ts';

/** Config entries by (kind, name); intentions are the entries of kind `service-intentions` (consul-facts D4). */
export const configEntriesTable: Table<ConfigEntry> = {
  name: 'config-entries',
  key: (row) => configEntryKey(row.Kind, row.Name),
  indexes: {
    /** Destinations that name a source, for matches by source. */
    'intention-source': (row) => sourcesOf(row).map((source) => foldName(source.Name)),
    /** Ids given out by the deprecated intention API. */
    'intention-id': (row) => sourcesOf(row).flatMap((source) => (source.LegacyID === '' ? [] : [foldName(source.LegacyID)])),
  },
};

export function configEntryKey(kind: string, name: string): string {
  return compositeKey(kind, name);
}

/** All entries of one kind. */
export function configEntryKindPrefix(kind: string): string {
  return keyPrefix(kind);
}

function sourcesOf(entry: ConfigEntry): readonly { readonly Name: string; readonly LegacyID: string }[] {
  if (entry.Kind !== 'service-intentions' || !Array.isArray(entry.Sources)) return [];
  const sources: { Name: string; LegacyID: string }[] = [];
  for (const source of entry.Sources as readonly unknown[]) {
    if (typeof source !== 'object' || source === null) continue;
    const { Name, LegacyID } = source as { readonly Name?: unknown; readonly LegacyID?: unknown };
    sources.push({ Name: typeof Name === 'string' ? Name : '', LegacyID: typeof LegacyID === 'string' ? LegacyID : '' });
  }
  return sources;
}
