/** Two frames of what a socket read gives. */
const BUFFER_BYTES = 128 * 1024;
/** What an idle proxy keeps: 1 MiB. */
const MAX_KEPT = 8;

const kept: Buffer[] = [];

/** A buffer of 128 KiB with anything in it. */
export function acquireBuffer(): Buffer {
  return kept.pop() ?? Buffer.allocUnsafeSlow(BUFFER_BYTES);
}

/** For a buffer that nobody else holds any more. */
export function releaseBuffer(buffer: Buffer): void {
  if (kept.length < MAX_KEPT) kept.push(buffer);
}
