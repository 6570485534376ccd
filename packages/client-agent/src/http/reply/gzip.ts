import { constants, gzip, gzipSync } from 'node:zlib';
import { promisify } from 'node:util';

/** About one TCP segment: below it compression gains nothing. */
export const GZIP_MIN_BYTES = 1_400;
/** Above it the work goes to a thread: the event loop must not stall. */
const SYNC_MAX_BYTES = 16_384;
const OPTIONS = { level: constants.Z_BEST_SPEED };

const gzipAsync = promisify(gzip);
const compressed = new WeakMap<Buffer, Promise<Buffer> | Buffer>();

/** RFC 9110 section 12.5.3: named with a weight above 0. `*` counts as naming it. */
export function acceptsGzip(header: string | undefined): boolean {
  if (header === undefined) return false;
  if (header === 'gzip') return true;
  let wildcard = false;
  for (const part of header.split(',')) {
    const [coding = '', ...parameters] = part.split(';').map((piece) => piece.trim().toLowerCase());
    if (coding !== 'gzip' && coding !== '*') continue;
    const weight = parameters.find((parameter) => parameter.startsWith('q='));
    const accepted = weight === undefined || Number(weight.slice(2)) > 0;
    if (coding === 'gzip') return accepted;
    wildcard = accepted;
  }
  return wildcard;
}

/** Shared bodies are compressed once, by identity. */
export function gzipBody(body: string | Buffer): Promise<Buffer> | Buffer {
  if (typeof body === 'string') return compress(Buffer.from(body));
  const known = compressed.get(body);
  if (known !== undefined) return known;
  const result = compress(body);
  compressed.set(body, result);
  if (result instanceof Promise) void result.then((bytes) => compressed.set(body, bytes)).catch(() => compressed.delete(body));
  return result;
}

function compress(bytes: Buffer): Promise<Buffer> | Buffer {
  return bytes.length <= SYNC_MAX_BYTES ? gzipSync(bytes, OPTIONS) : gzipAsync(bytes, OPTIONS);
}
