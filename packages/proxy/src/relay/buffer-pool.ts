/** Two frames of what a socket read gives. */
export const BUFFER_BYTES = 128 * 1024;
/** What an idle proxy keeps: 4 MiB. */
const MAX_KEPT = 32;
/** Smaller reads are left to the garbage collector: detaching costs more than it saves. */
const MIN_DETACHED_BYTES = 8 * 1024;

const kept: Buffer[] = [];

/** A buffer of `BUFFER_BYTES` with anything in it. */
export function acquireBuffer(): Buffer {
  return kept.pop() ?? Buffer.allocUnsafeSlow(BUFFER_BYTES);
}

/** For a buffer that nobody else holds any more. */
export function releaseBuffer(buffer: Buffer): void {
  if (kept.length < MAX_KEPT) kept.push(buffer);
}

/**
 * Frees what a socket read has allocated, now: for a chunk whose bytes have all been copied, and that owns its memory. It is
 * empty from then on.
 */
export function discardChunk(chunk: Buffer): void {
  const memory = chunk.buffer;
  if (memory.byteLength < MIN_DETACHED_BYTES || chunk.byteLength !== memory.byteLength || !(memory instanceof ArrayBuffer)) return;
  memory.transfer(0);
}
