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

/** Stops at `maxBytes`, whatever a few bytes unfold to. @throws GossipError `malformed` */
export async function inflate(bytes: Uint8Array, maxBytes: number): Promise<Uint8Array> {
  try {
    return await inflateBytes(bytes, { maxOutputLength: maxBytes });
  } catch {
    throw malformed('cannot be inflated');
  }
}
