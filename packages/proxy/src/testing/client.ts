import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** A connection to a port on loopback that keeps what it receives. */
export class TestClient {
  readonly socket: Socket;
  #received = Buffer.alloc(0);
  #chunks: Buffer[] = [];
  ended = false;
  error: Error | undefined;

  constructor(port: number) {
    this.socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true, noDelay: true });
    this.socket.on('data', (chunk: Buffer) => this.#chunks.push(chunk));
    this.socket.on('end', () => {
      this.ended = true;
    });
    this.socket.on('error', (error) => {
      this.error = error;
    });
  }

  get received(): Buffer {
    if (this.#chunks.length > 0) {
      this.#received = Buffer.concat([this.#received, ...this.#chunks]);
      this.#chunks = [];
    }
    return this.#received;
  }

  get text(): string {
    return this.received.toString();
  }

  send(data: string | Buffer): this {
    this.socket.write(data);
    return this;
  }

  /** Half-close. */
  finish(): this {
    this.socket.end();
    return this;
  }

  /** Waits for the other side to end, then ends too. */
  async closed(): Promise<this> {
    if (!this.ended && !this.socket.destroyed)
      await Promise.race([once(this.socket, 'end'), once(this.socket, 'close')]).catch(() => undefined);
    this.socket.end();
    if (!this.socket.destroyed || !this.socket.closed) await once(this.socket, 'close').catch(() => undefined);
    return this;
  }
}

/** Waits for a condition; never for a time. */
export async function until(condition: () => boolean, what = 'condition', limitMs = 10_000): Promise<void> {
  const startedMs = performance.now();
  while (!condition()) {
    if (performance.now() - startedMs > limitMs) throw new Error(`${what} did not come true`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
