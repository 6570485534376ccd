import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import { goFileError } from '../framework/data-source.ts';
import { readTar, type TarFile } from './tar.ts';

/** meta.json of a snapshot archive. */
export interface SnapshotMeta {
  readonly ID: string;
  /** Of state.bin, bytes. */
  readonly Size: number;
  readonly Index: number;
  readonly Term: number;
  readonly Version: number;
}

/** Sees state.bin as it streams by. */
export type StateReader = (chunks: AsyncIterable<Uint8Array>) => Promise<void>;

const MAX_META_BYTES = 1024 * 1024;
const GZIP_HEADER_BYTES = 10;

/**
 * Reads a snapshot archive (gzipped tar of meta.json, state.bin and SHA256SUMS: consul-facts D9) to its end and checks every
 * hash.
 * @throws Error in Consul's words
 */
export async function readArchive(path: string, readState?: StateReader): Promise<SnapshotMeta> {
  await checkGzipHeader(path);
  const gunzip = createGunzip();
  const file = createReadStream(path);
  file.once('error', (error) => gunzip.destroy(error));
  try {
    return await readFiles(file.pipe(gunzip), readState);
  } catch (error) {
    throw new Error(`failed to read snapshot file: ${reasonOf(error)}`, { cause: error });
  } finally {
    file.destroy();
    gunzip.destroy();
  }
}

/** @throws Error when the file cannot be opened */
export async function checkReadable(path: string, shownPath: string): Promise<void> {
  try {
    await (await open(path)).close();
  } catch (error) {
    throw new Error(goFileError('open', shownPath, error), { cause: error });
  }
}

async function checkGzipHeader(path: string): Promise<void> {
  const file = await open(path);
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(GZIP_HEADER_BYTES), 0, GZIP_HEADER_BYTES, 0);
    if (bytesRead === 0) throw new Error('failed to decompress snapshot: EOF');
    if (bytesRead < GZIP_HEADER_BYTES) throw new Error('failed to decompress snapshot: unexpected EOF');
    if (buffer[0] !== 0x1f || buffer[1] !== 0x8b || buffer[2] !== 8) throw new Error('failed to decompress snapshot: gzip: invalid header');
  } finally {
    await file.close();
  }
}

async function readFiles(tar: AsyncIterable<Uint8Array>, readState: StateReader | undefined): Promise<SnapshotMeta> {
  const hashes = new Map<string, string>();
  let meta: SnapshotMeta | undefined;
  let sums: string | undefined;
  for await (const file of readTar(tar)) {
    if (file.name === 'SHA256SUMS') sums = (await collect(file)).toString('utf8');
    else if (file.name === 'meta.json') meta = parseMeta(await hashed(file, hashes, collect));
    else if (file.name === 'state.bin')
      await hashed(file, hashes, async ({ chunks }) => (readState === undefined ? drain(chunks) : readState(chunks)));
    else throw new Error(`unexpected file ${JSON.stringify(file.name)} in snapshot`);
  }
  checkSums(sums ?? '', hashes);
  if (meta === undefined) throw new Error('failed checking integrity of snapshot: file missing for "meta.json"');
  return meta;
}

/** Runs `read` over the file and notes the hash of all of it, read or not. */
async function hashed<T>(file: TarFile, hashes: Map<string, string>, read: (file: TarFile) => Promise<T>): Promise<T> {
  const hash = createHash('sha256');
  async function* watched(): AsyncGenerator<Uint8Array> {
    for await (const chunk of file.chunks) {
      hash.update(chunk);
      yield chunk;
    }
  }
  const result = await read({ ...file, chunks: watched() });
  await drain(watched());
  hashes.set(file.name, hash.digest('hex'));
  return result;
}

async function drain(chunks: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _ of chunks);
}

async function collect(file: TarFile): Promise<Buffer> {
  if (file.sizeBytes > MAX_META_BYTES) throw new Error(`${JSON.stringify(file.name)} is too large`);
  const chunks: Uint8Array[] = [];
  for await (const chunk of file.chunks) chunks.push(chunk);
  return Buffer.concat(chunks);
}

export function parseMeta(bytes: Buffer): SnapshotMeta {
  try {
    const raw = JSON.parse(bytes.toString('utf8')) as Partial<SnapshotMeta>;
    return {
      ID: String(raw.ID ?? ''),
      Size: Number(raw.Size ?? 0),
      Index: Number(raw.Index ?? 0),
      Term: Number(raw.Term ?? 0),
      Version: Number(raw.Version ?? 0),
    };
  } catch (error) {
    throw new Error(`failed to decode snapshot metadata: ${reasonOf(error)}`, { cause: error });
  }
}

/** Every file has its hash in the list and every line of the list its file. */
function checkSums(sums: string, hashes: ReadonlyMap<string, string>): void {
  const listed = new Set<string>();
  for (const line of sums.split('\n').filter((text) => text !== '')) {
    const [hash = '', name = ''] = line.split(/\s+/);
    const actual = hashes.get(name);
    if (actual === undefined) throw new Error(`failed checking integrity of snapshot: file missing for ${JSON.stringify(name)}`);
    if (actual !== hash) throw new Error(`failed checking integrity of snapshot: hash check failed for ${JSON.stringify(name)}`);
    listed.add(name);
  }
  for (const name of hashes.keys()) {
    if (!listed.has(name)) throw new Error(`failed checking integrity of snapshot: list missing hash for ${JSON.stringify(name)}`);
  }
}

function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message === 'unexpected end of file' ? 'unexpected EOF' : message;
}
