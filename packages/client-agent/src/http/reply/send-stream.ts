import type { ServerResponse } from 'node:http';
import { createGzip, constants } from 'node:zlib';
import type { ApiRequest } from '../request/api-request.ts';
import { acceptsGzip } from './gzip.ts';
import type { Reply, StreamWriter } from './reply.ts';

/** What a slow reader may have waiting; beyond it chunks are dropped, never queued. */
const MAX_QUEUED_BYTES = 1024 * 1024;

/**
 * Sends the head at once and the body as it comes, each chunk flushed: a client that waits for the first log line must not wait for the
 * headers too. Compressed for real when the client takes gzip, and then flushed block by block.
 */
export async function sendStream(
  response: ServerResponse,
  base: readonly string[],
  request: ApiRequest,
  reply: Reply,
  stream: StreamWriter,
): Promise<void> {
  const compress = acceptsGzip(request.header('accept-encoding'));
  const encoding = compress ? ['Content-Encoding', 'gzip'] : [];
  response.writeHead(reply.status, [...base, ...reply.headers, ...encoding, 'Content-Type', reply.contentType]);
  response.flushHeaders();
  const signal = request.signal;
  if (!compress) {
    await stream({ write: (chunk) => response.writableLength < MAX_QUEUED_BYTES && response.write(chunk), signal });
    response.end();
    return;
  }
  const gzip = createGzip({ level: constants.Z_BEST_SPEED, flush: constants.Z_SYNC_FLUSH });
  gzip.on('error', () => response.destroy());
  gzip.pipe(response);
  signal.addEventListener('abort', () => gzip.end(), { once: true });
  await stream({ write: (chunk) => gzip.writable && response.writableLength < MAX_QUEUED_BYTES && gzip.write(chunk), signal });
  gzip.end();
}
