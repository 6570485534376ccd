import type { IncomingMessage } from 'node:http';
import { LictorError } from '@lictor/protocol';

/**
 * Reads a whole body, counting while it streams: a Content-Length is a hint that may be missing or wrong (CVE-2025-11374).
 * @throws LictorError `too-large` as soon as the limit is passed; the connection cannot be used again then
 */
export function readBody(
  message: IncomingMessage,
  limitBytes: number,
  tooLarge: (sizeBytes: number | undefined) => string,
): Promise<Buffer> {
  const announced = announcedLength(message);
  if (announced !== undefined && announced > limitBytes) {
    return Promise.reject(new LictorError('too-large', tooLarge(announced)));
  }
  if (announced === 0 || message.readableEnded) return Promise.resolve(Buffer.alloc(0));
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let sizeBytes = 0;
    const settle = (act: () => void): void => {
      message.off('data', onData);
      message.off('end', onEnd);
      message.off('error', onBroken);
      message.off('close', onBroken);
      act();
    };
    const onData = (chunk: Buffer): void => {
      sizeBytes += chunk.length;
      if (sizeBytes > limitBytes) {
        settle(() => reject(new LictorError('too-large', tooLarge(announced))));
        return;
      }
      chunks.push(chunk);
    };
    const onEnd = (): void => settle(() => resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks)));
    const onBroken = (): void => settle(() => reject(new LictorError('cancelled', 'request body was cut off')));
    message.on('data', onData).on('end', onEnd).on('error', onBroken).on('close', onBroken);
  });
}

/** Undefined when the body is chunked; 0 when there is none. */
function announcedLength(message: IncomingMessage): number | undefined {
  const header = message.headers['content-length'];
  if (header !== undefined) return Number(header);
  return message.headers['transfer-encoding'] === undefined ? 0 : undefined;
}
