import { LictorError } from '@lictor/protocol';
import { Packr } from 'msgpackr/pack';
import { checkMsgpack, MAX_ENTRY_BYTES } from './codec-limits.ts';
import type { Command } from './types.ts';

/**
 * Plain msgpack maps: records would couple a reader to what its writer had sent before. Buffers are copied, so that a stored
 * value never keeps a whole batch alive; nor do strings, which the native extractor behind the package's main entry would cut as
 * slices of the whole entry (20,000 instances: 12 MiB).
 */
const packr = new Packr({
  useRecords: false,
  mapsAsObjects: true,
  moreTypes: false,
  structuredClone: false,
  bundleStrings: false,
  copyBuffers: true,
});

/** @throws LictorError `too-large` */
export function encodeCommand(command: Command): Uint8Array {
  const bytes = encodeValue(command);
  if (bytes.length > MAX_ENTRY_BYTES) {
    throw new LictorError('too-large', `command of ${bytes.length} bytes exceeds the limit of ${MAX_ENTRY_BYTES}`);
  }
  // msgpackr encodes into slabs that all of the process shares, and Buffer.from would copy into another, of 64 KiB. A log entry stays, and
  // would keep what was beside it: in a server that answers much, many times its size.
  const own = Buffer.allocUnsafeSlow(bytes.length);
  own.set(bytes);
  return own;
}

/** @throws LictorError `internal` when the bytes are not a command */
export function decodeCommand(bytes: Uint8Array): Command {
  if (bytes.length > MAX_ENTRY_BYTES) throw malformed('too large');
  const fault = checkMsgpack(bytes);
  if (fault !== undefined) throw malformed(fault);
  const value = decodeValue(bytes);
  if (!isCommand(value)) throw malformed('not a command');
  return value;
}

/** One msgpack value in its own buffer. */
export function encodeValue(value: unknown): Uint8Array {
  return packr.pack(value);
}

/** Trusted or already checked bytes only. */
export function decodeValue(bytes: Uint8Array): unknown {
  return packr.unpack(bytes) as unknown;
}

function isCommand(value: unknown): value is Command {
  if (typeof value !== 'object' || value === null) return false;
  const { type, version, timeMs, body } = value as Record<string, unknown>;
  return typeof type === 'string' && Number.isSafeInteger(version) && typeof timeMs === 'number' && body !== undefined;
}

function malformed(why: string): LictorError {
  return new LictorError('internal', `malformed log entry: ${why}`);
}
