import { Buffer } from 'node:buffer';
import type { KvEntry } from '@lictor/protocol';

const LABEL_WIDTH = 17;

/** The block of `kv get -detailed`; bytes, since a value may be no text. Without `value` it is for -keys. */
export function renderDetails(entry: KvEntry, value: Uint8Array | undefined): Uint8Array {
  const rows: readonly (readonly [string, string])[] = [
    ['CreateIndex', String(entry.CreateIndex)],
    ['Flags', String(entry.Flags)],
    ['Key', entry.Key],
    ['LockIndex', String(entry.LockIndex)],
    ['ModifyIndex', String(entry.ModifyIndex)],
    ['Session', entry.Session === '' ? '-' : entry.Session],
  ];
  const head = rows.map(([label, text]) => `${label.padEnd(LABEL_WIDTH)}${text}\n`).join('');
  if (value === undefined) return Buffer.from(head);
  if (value.length === 0) return Buffer.from(`${head}Value`);
  return Buffer.concat([Buffer.from(head), Buffer.from('Value'.padEnd(LABEL_WIDTH)), value]);
}

export function encodeValue(entry: KvEntry, base64: boolean): Uint8Array {
  return base64 ? Buffer.from(Buffer.from(entry.Value).toString('base64')) : entry.Value;
}
