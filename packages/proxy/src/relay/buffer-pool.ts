/** Two frames of what a socket read gives. */
const BUFFER_BYTES = 128 * 1024;
/** What an idle proxy keeps at most: 4 MiB. With 8 bulk streams 8 were too few: V8 collected the heap for the rest. */
const MAX_KEPT = 32;

const kept: Buffer[] = [];

/** A buffer of 128 KiB with anything in it. */
export function acquireBuffer(): Buffer {
  return kept.pop() ?? Buffer.allocUnsafeSlow(BUFFER_BYTES);
}

/** For a buffer that nobody else holds any more. */
export function releaseBuffer(buffer: Buffer): void {
  if (kept.length < MAX_KEPT) kept.push(buffer);
}
