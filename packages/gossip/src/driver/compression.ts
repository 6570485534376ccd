import { promisify } from 'node:util';
import { deflateRaw, inflateRaw } from 'node:zlib';
import { malformed } from '../errors.ts';

/** Smaller ones do not get smaller. */
const MIN_BYTES = 512;
const deflateBytes = promisify(deflateRaw);
const inflateBytes = promisify(inflateRaw);

/** On a thread of its own; undefined: not worth it. */
export async function deflate(bytes: Uint8Array): Promise<Uint8Array | undefined> {
  if (bytes.length < MIN_BYTES) return undefined;
  const deflated = await deflateBytes(bytes);
  return deflated.length < bytes.length ? deflated : undefined;
}

/** Tables shrink to a twentieth; what unfolds to so many times its size was made to. */
const MAX_RATIO = 100;

/** Stops at `maxBytes`, and at a hundred times what came. @throws GossipError `malformed` */
export async function inflate(bytes: Uint8Array, maxBytes: number): Promise<Uint8Array> {
  try {
    return await inflateBytes(bytes, { maxOutputLength: Math.min(maxBytes, MAX_RATIO * bytes.length) });
  } catch {
    throw malformed('cannot be inflated');
  }
}
