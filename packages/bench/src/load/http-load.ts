import { connect, type Socket, type TcpNetConnectOpts } from 'node:net';

export interface LoadResult {
  readonly requestsPerSecond: number;
  readonly errors: number;
}

export interface LoadOptions {
  readonly host: string;
  readonly port: number;
  readonly connections: number;
  readonly durationMs: number;
  /** The bytes of the n-th request; called per request, so precompute what can be. */
  readonly request: (sequence: number) => Buffer;
}

/**
 * Keep-alive HTTP/1.1 over plain sockets, one request at a time on each connection. It parses no more of an answer than its length, so
 * that the client costs the measured server as little of the machine as possible; the same code drives every target.
 */
export async function loadHttp(options: LoadOptions): Promise<LoadResult> {
  let completed = 0;
  let errors = 0;
  let sequence = 0;
  let running = true;
  const onStatus = (status: number, socket: Socket): void => {
    completed++;
    if (status >= 400) errors++;
    if (running) socket.write(options.request(sequence++));
    else socket.destroy();
  };
  const target = { host: options.host, port: options.port };
  const sockets = await Promise.all(Array.from({ length: options.connections }, () => openHttp(target, onStatus)));
  const finished = sockets.map(
    (socket) =>
      new Promise<void>((done) => {
        socket.on('close', () => done());
        socket.on('error', () => {
          errors++;
          done();
        });
        socket.write(options.request(sequence++));
      }),
  );
  const startedMs = performance.now();
  await new Promise((wake) => setTimeout(wake, options.durationMs));
  const elapsedMs = performance.now() - startedMs;
  const counted = completed;
  running = false;
  await Promise.all(finished);
  return { requestsPerSecond: (counted / elapsedMs) * 1000, errors };
}

export function requestBytes(method: string, path: string, body = ''): Buffer {
  const length = body === '' && method === 'GET' ? '' : `Content-Length: ${Buffer.byteLength(body)}\r\n`;
  return Buffer.from(`${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${length}\r\n${body}`);
}

/** Statuses of the complete answers in a byte stream, by Content-Length or chunked framing. */
class ResponseParser {
  #buffer: Buffer = NOTHING;

  /** The chunk may be used anew afterwards. */
  push(chunk: Buffer): number[] {
    this.#buffer = this.#buffer.length === 0 ? chunk : Buffer.concat([this.#buffer, chunk]);
    const statuses: number[] = [];
    for (let end = this.#responseEnd(); end > 0; end = this.#responseEnd()) {
      statuses.push(Number(this.#buffer.toString('latin1', 9, 12)));
      this.#buffer = this.#buffer.subarray(end);
    }
    this.#buffer = this.#buffer.length === 0 ? NOTHING : Buffer.from(this.#buffer);
    return statuses;
  }

  /** The offset behind the first complete answer, or 0. */
  #responseEnd(): number {
    const headerEnd = this.#buffer.indexOf('\r\n\r\n');
    if (headerEnd < 0) return 0;
    const header = this.#buffer.toString('latin1', 0, headerEnd);
    const length = /\r\ncontent-length: *(\d+)/i.exec(header);
    if (length !== null) {
      const end = headerEnd + 4 + Number(length[1]);
      return this.#buffer.length >= end ? end : 0;
    }
    if (/\r\ntransfer-encoding: *chunked/i.test(header)) {
      const last = this.#buffer.indexOf('0\r\n\r\n', headerEnd + 4, 'latin1');
      return last < 0 ? 0 : last + 5;
    }
    return headerEnd + 4;
  }
}

const NOTHING = Buffer.alloc(0);
const READ_BYTES = 64 * 1024;

/** A connection that tells the status of each complete answer. All of them read into one buffer: a client's garbage costs the server too. */
export function openHttp(target: TcpNetConnectOpts, onStatus: (status: number, socket: Socket) => void): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const parser = new ResponseParser();
    const onread = {
      buffer: shared,
      callback: (bytes: number) => {
        for (const status of parser.push(shared.subarray(0, bytes))) onStatus(status, socket);
        return true;
      },
    };
    const socket = connect({ ...target, onread, noDelay: true });
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(socket);
    });
    socket.once('error', reject);
  });
}

const shared = Buffer.allocUnsafeSlow(READ_BYTES);
