import type { ServerResponse } from 'node:http';
import type { ApiRequest } from '../request/api-request.ts';
import { acceptsGzip, GZIP_MIN_BYTES, gzipBody } from './gzip.ts';
import { JSON_TYPE, type Reply } from './reply.ts';

/** Writes a whole reply. `base` are the headers that every API answer carries. */
export function sendReply(response: ServerResponse, base: readonly string[], request: ApiRequest, reply: Reply): void | Promise<void> {
  const body = reply.contentType === JSON_TYPE && request.query.has('pretty') ? withNewline(reply.body) : reply.body;
  if (body.length >= GZIP_MIN_BYTES && acceptsGzip(request.header('accept-encoding'))) return sendCompressed(response, base, reply, body);
  write(response, base, reply, body, typeof body === 'string' ? Buffer.byteLength(body) : body.length, []);
}

async function sendCompressed(response: ServerResponse, base: readonly string[], reply: Reply, body: string | Buffer): Promise<void> {
  const bytes = await gzipBody(body);
  write(response, base, reply, bytes, bytes.length, ['Content-Encoding', 'gzip']);
}

function write(
  response: ServerResponse,
  base: readonly string[],
  reply: Reply,
  body: string | Buffer,
  sizeBytes: number,
  encoding: readonly string[],
): void {
  const type = reply.contentType === '' ? NO_TYPE : ['Content-Type', reply.contentType];
  const head = [...base, ...reply.headers, ...encoding, ...type, 'Content-Length', String(sizeBytes)];
  response.writeHead(reply.status, head);
  response.end(body);
}

const NO_TYPE: readonly string[] = [];

/** `?pretty` adds a line end, which indentation alone (-dev) does not. */
function withNewline(body: string | Buffer): string | Buffer {
  if (body.length === 0) return body;
  return typeof body === 'string' ? `${body}\n` : Buffer.concat([body, NEWLINE]);
}

const NEWLINE = Buffer.from('\n');
