import type { KvEntry } from '@lictor/protocol';
import { encodeJson, escapeHtml, toBody } from '../reply/encode-json.ts';
import { type LongView, sharedListView, type View } from '../reply/views.ts';
import { jsonInteger } from '../reply/raw-json.ts';

/** A hand-written encoder for the hottest answer; `kvEntryJson` is its plain twin. */
export const kvEntryView: View<KvEntry> = (entry, indent) => {
  const session = entry.Session === '' ? '' : `,"Session":${JSON.stringify(entry.Session)}`;
  const key = escapeHtml(JSON.stringify(entry.Key));
  const value = entry.Value.length === 0 ? 'null' : `"${base64(entry.Value)}"`;
  if (!indent) {
    const head = `[{"LockIndex":${entry.LockIndex},"Key":${key},"Flags":${entry.Flags},"Value":${value}${session}`;
    return toBody(`${head},"CreateIndex":${entry.CreateIndex},"ModifyIndex":${entry.ModifyIndex}}]`);
  }
  const indentedSession = entry.Session === '' ? '' : `        "Session": ${JSON.stringify(entry.Session)},\n`;
  return toBody(
    `[\n    {\n        "LockIndex": ${entry.LockIndex},\n        "Key": ${key},\n        "Flags": ${entry.Flags},\n        "Value": ${value},\n` +
      `${indentedSession}        "CreateIndex": ${entry.CreateIndex},\n        "ModifyIndex": ${entry.ModifyIndex}\n    }\n]`,
  );
};

export const kvEntriesView: LongView<readonly KvEntry[]> = sharedListView(kvEntryJson);

/** Field order and omissions of Consul's DirEntry; an empty value is `null`. */
export function kvEntryJson(entry: KvEntry): object {
  return {
    LockIndex: entry.LockIndex,
    Key: entry.Key,
    Flags: jsonInteger(entry.Flags),
    Value: entry.Value.length === 0 ? null : base64(entry.Value),
    Session: entry.Session === '' ? undefined : entry.Session,
    CreateIndex: entry.CreateIndex,
    ModifyIndex: entry.ModifyIndex,
  };
}

export function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

/** For tests: what the hand-written encoder must equal. */
export function kvEntryReference(entry: KvEntry, indent: boolean): string {
  return encodeJson([kvEntryJson(entry)], indent);
}
