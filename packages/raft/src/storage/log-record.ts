import { crc32 } from 'node:zlib';
import type { Entry, EntryKind, HardState } from '../core/entry.ts';
import { newerFormat } from './newer-format.ts';

/**
 * An entry on disk, big-endian: checksum u32, version u8, kind u8, previous u32, index u64, term u64, data.
 *
 * `previous` is the checksum of the record before it in the log: a record that another write should have replaced, or one that a lost
 * write left in place, breaks the chain although it is whole itself.
 */
const VERSION = 1;
const HEADER_BYTES = 26;
const KINDS: readonly EntryKind[] = ['command', 'noop', 'membership'];

export interface EntryRecord {
  readonly entry: Entry;
  readonly previous: number;
  readonly checksum: number;
}

export function encodeEntry(entry: Entry, previous: number): { readonly bytes: Uint8Array; readonly checksum: number } {
  const record = Buffer.allocUnsafe(HEADER_BYTES + entry.data.length);
  record.writeUInt8(VERSION, 4);
  record.writeUInt8(KINDS.indexOf(entry.kind), 5);
  record.writeUInt32BE(previous, 6);
  record.writeBigUInt64BE(BigInt(entry.index), 10);
  record.writeBigUInt64BE(BigInt(entry.term), 18);
  record.set(entry.data, HEADER_BYTES);
  const checksum = crc32(record.subarray(4));
  record.writeUInt32BE(checksum, 0);
  return { bytes: record, checksum };
}

/** Undefined: damaged. @throws RaftError `newer-format` */
export function decodeEntry(bytes: Uint8Array): EntryRecord | undefined {
  const record = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (record.length < HEADER_BYTES) return undefined;
  const checksum = record.readUInt32BE(0);
  const kind = KINDS[record.readUInt8(5)];
  if (checksum !== crc32(record.subarray(4))) return undefined;
  const version = record.readUInt8(4);
  checkVersion(version);
  if (version !== VERSION || kind === undefined) return undefined;
  const index = Number(record.readBigUInt64BE(10));
  const term = Number(record.readBigUInt64BE(18));
  if (!isCount(index) || !isCount(term)) return undefined;
  const data = record.subarray(HEADER_BYTES);
  return { entry: { index, term, kind, data }, previous: record.readUInt32BE(6), checksum };
}

/** Written with every batch: where the log ends, beside the hard state, so that an end that went missing is found. */
export interface LogState {
  readonly hardState: HardState;
  /** 0: no entries. */
  readonly lastIndex: number;
  /** Of the last record; 0 without one. */
  readonly lastChecksum: number;
}

/** JSON behind a checksum u32. */
export function encodeLogState(state: LogState): Uint8Array {
  const { term, vote, commit } = state.hardState;
  const { lastIndex, lastChecksum } = state;
  const json = Buffer.from(JSON.stringify({ version: VERSION, term, vote, commit, lastIndex, lastChecksum }));
  const record = Buffer.allocUnsafe(4 + json.length);
  record.writeUInt32BE(crc32(json), 0);
  record.set(json, 4);
  return record;
}

/** Undefined: damaged. @throws RaftError `newer-format` */
export function decodeLogState(bytes: Uint8Array): LogState | undefined {
  const record = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (record.length < 4 || record.readUInt32BE(0) !== crc32(record.subarray(4))) return undefined;
  const fields = parseFields(record.toString('utf8', 4));
  const { version, term, vote, commit, lastIndex, lastChecksum } = fields;
  if (isCount(version)) checkVersion(version);
  if (version !== VERSION || !isCount(term) || !isCount(commit) || !isCount(lastIndex) || !isCount(lastChecksum)) return undefined;
  if (vote !== undefined && typeof vote !== 'string') return undefined;
  return { hardState: { term, vote, commit }, lastIndex, lastChecksum };
}

function parseFields(json: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function checkVersion(version: number): void {
  if (version > VERSION) throw newerFormat('the raft log', version, VERSION);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && !Object.is(value, -0);
}
