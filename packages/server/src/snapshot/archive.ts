import { type Clock, LictorError, type RaftConfiguration } from '@lictor/protocol';
import { inSlices } from '../fsm/snapshot/index.ts';
import { createHash } from 'node:crypto';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { extract, pack } from 'tar-stream';

/** What an archive says of itself, under the names that `consul snapshot inspect` reads (consul-facts O007). */
export interface SnapshotMeta {
  readonly Version: number;
  /** `term-index-milliseconds`. */
  readonly ID: string;
  readonly Index: number;
  readonly Term: number;
  readonly Peers: null;
  readonly Configuration: { readonly Servers: readonly { readonly Suffrage: number; readonly ID: string; readonly Address: string }[] };
  readonly ConfigurationIndex: number;
  /** Bytes of state.bin. */
  readonly Size: number;
}

export interface SnapshotContent {
  readonly meta: SnapshotMeta;
  readonly state: Uint8Array;
}

const META = 'meta.json';
const STATE = 'state.bin';
const SUMS = 'SHA256SUMS';
/** What an archive may unfold to: more is a bomb, or a state that no server here could hold. */
const MAX_STATE_BYTES = 1024 ** 3;
/** Beyond this a state may be so many times as long as its archive: ours unfold about fivefold (Envoy CVE-2022-29225: a bomb's thousandfold). */
const FREE_STATE_BYTES = 32 * 1024 ** 2;
const MAX_INFLATION = 100;
const MAX_SMALL_BYTES = 1024 ** 2;
const GZIP_HEADER_BYTES = 10;
const HASH_SLICE_BYTES = 512 * 1024;

export function createMeta(index: number, term: number, nowMs: number, size: number, { Servers, Index }: RaftConfiguration): SnapshotMeta {
  return {
    Version: 1,
    ID: `${term}-${index}-${nowMs}`,
    Index: index,
    Term: term,
    Peers: null,
    Configuration: { Servers: Servers.map(({ ID, Address }) => ({ Suffrage: 0, ID, Address })) },
    ConfigurationIndex: Index,
    Size: size,
  };
}

/** The gzipped tar of metadata, state and their checksums. */
export async function writeArchive({ meta, state }: SnapshotContent, clock: Clock): Promise<Uint8Array> {
  const files: readonly (readonly [string, Uint8Array])[] = [
    [META, Buffer.from(JSON.stringify(meta))],
    [STATE, state],
  ];
  let sums = '';
  for (const [name, bytes] of files) sums += `${await sha256(bytes, clock)}  ${name}\n`;
  const tar = pack();
  for (const [name, bytes] of [...files, [SUMS, Buffer.from(sums)] as const]) {
    tar.entry({ name, size: bytes.length, mode: 0o600 }, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  }
  tar.finalize();
  const parts: Buffer[] = [];
  await pipeline(tar, createGzip({ level: 1 }), async (source) => {
    for await (const part of source) parts.push(part as Buffer);
  });
  return Buffer.concat(parts);
}

/**
 * Unpacks an archive and verifies every checksum in it.
 * @throws LictorError `rejected`, in Consul's words
 */
export async function readArchive(archive: Uint8Array, clock: Clock): Promise<SnapshotContent> {
  assertGzip(archive);
  const files = await unpack(archive);
  await verify(files, clock);
  const meta = readMeta(files.get(META)?.toString() ?? '');
  return { meta, state: files.get(STATE) ?? new Uint8Array(0) };
}

/** As Go's gzip reader words it. */
function assertGzip(archive: Uint8Array): void {
  const isGzip = archive[0] === 0x1f && archive[1] === 0x8b && archive[2] === 8;
  if (archive.length >= GZIP_HEADER_BYTES && isGzip) return;
  const isShort = archive.length < GZIP_HEADER_BYTES;
  const reason = archive.length === 0 ? 'EOF' : isShort ? 'unexpected EOF' : 'gzip: invalid header';
  throw rejected(`failed to decompress snapshot: ${reason}`);
}

async function unpack(archive: Uint8Array): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  const maxStateBytes = Math.min(MAX_STATE_BYTES, Math.max(FREE_STATE_BYTES, archive.length * MAX_INFLATION));
  const untar = extract();
  const reading = (async () => {
    for await (const entry of untar) {
      const { name } = entry.header;
      if (name !== META && name !== STATE && name !== SUMS) throw new Error(`unexpected file ${JSON.stringify(name)} in snapshot`);
      if (files.has(name)) throw new Error(`file ${JSON.stringify(name)} twice in snapshot`);
      const parts: Buffer[] = [];
      let bytes = 0;
      for await (const part of entry) {
        bytes += (part as Buffer).length;
        if (bytes > (name === STATE ? maxStateBytes : MAX_SMALL_BYTES)) throw new Error(`file ${JSON.stringify(name)} is too large`);
        parts.push(part as Buffer);
      }
      files.set(name, Buffer.concat(parts, bytes));
    }
  })();
  const inflating = pipeline([Buffer.from(archive.buffer, archive.byteOffset, archive.byteLength)], createGunzip(), untar);
  const [read, inflated] = await Promise.allSettled([reading, inflating]);
  const failed = [read, inflated].find((each) => each.status === 'rejected');
  if (failed?.status === 'rejected') {
    const reason = failed.reason instanceof Error ? failed.reason.message : String(failed.reason);
    throw rejected(`failed to read snapshot file: failed reading snapshot: ${reason}`, failed.reason);
  }
  return files;
}

/** Every file must be listed, and every listed one be there and have its sum. */
async function verify(files: ReadonlyMap<string, Buffer>, clock: Clock): Promise<void> {
  const listed = new Map<string, string>();
  for (const line of (files.get(SUMS)?.toString() ?? '').split('\n')) {
    const [sum, name] = line.split('  ');
    if (sum !== undefined && name !== undefined) listed.set(name, sum);
  }
  for (const name of listed.keys()) if (name === SUMS || !files.has(name)) throw corrupt(`file missing for ${JSON.stringify(name)}`);
  for (const name of [META, STATE]) {
    const bytes = files.get(name);
    const sum = listed.get(name);
    if (bytes === undefined || sum === undefined) throw corrupt(`list missing hash for ${JSON.stringify(name)}`);
    if ((await sha256(bytes, clock)) !== sum) throw corrupt(`hash check failed for ${JSON.stringify(name)}`);
  }
}

function readMeta(text: string): SnapshotMeta {
  let meta: Partial<SnapshotMeta> | null;
  try {
    meta = JSON.parse(text) as Partial<SnapshotMeta> | null;
  } catch (error) {
    throw rejected(
      `failed to read snapshot file: failed to decode snapshot metadata: ${error instanceof Error ? error.message : ''}`,
      error,
    );
  }
  if (typeof meta?.ID !== 'string') throw rejected('failed to read snapshot file: failed to decode snapshot metadata: no ID');
  return meta as SnapshotMeta;
}

function sha256(bytes: Uint8Array, clock: Clock): Promise<string> {
  return inSlices(clock, hashSlices(bytes));
}

function* hashSlices(bytes: Uint8Array): Generator<undefined, string, undefined> {
  const hash = createHash('sha256');
  for (let start = 0; start < bytes.length; start += HASH_SLICE_BYTES) {
    hash.update(bytes.subarray(start, start + HASH_SLICE_BYTES));
    yield;
  }
  return hash.digest('hex');
}

function corrupt(why: string): LictorError {
  return rejected(`failed to read snapshot file: failed checking integrity of snapshot: ${why}`);
}

function rejected(message: string, cause?: unknown): LictorError {
  return new LictorError('rejected', message, { cause });
}
