import type { Socket } from 'node:net';
import { acquireBuffer, releaseBuffer } from './buffer-pool.ts';

/** Up to here bytes get a small buffer of their own when nothing waits: the path of requests and replies. */
const SMALL_BYTES = 4096;
/** Full TLS records (RFC 8446 5.1) come one by one though they were read together: they wait for each other, up to the end of the turn. */
const FULL_RECORD_BYTES = 16 * 1024;
const GATHER_BYTES = 64 * 1024;
/** Bytes that may wait here; above, the writer is asked to pause, below half of it to go on. */
const HIGH_WATER_BYTES = 256 * 1024;
const LOW_WATER_BYTES = HIGH_WATER_BYTES / 2;

interface Pending {
  readonly buffer: Buffer;
  length: number;
}

/**
 * The bytes on their way into one socket.
 *
 * 1. Every byte is copied once, into kept buffers: the caller's chunk is free when `write` returns, and nothing is left to the
 *    garbage collector. (What a socket read allocates counts as external memory: at 3 Gbit/s V8 would collect a dozen times
 *    a second, a third of all CPU time.)
 * 2. One write is in the socket at a time; what comes meanwhile is gathered into the next one.
 * 3. Waiting bytes are bounded by the high-water mark and one chunk.
 */
export class Outbox {
  readonly #socket: Socket;
  readonly #onDrain: () => void;
  readonly #onWritten: (error?: Error | null) => void;
  readonly #full: Pending[] = [];
  #filling: Pending | undefined;
  /** Pooled, in the socket; small ones are not kept. */
  #written: Pending | undefined;
  #isWriting = false;
  #waitingBytes = 0;
  #wantsDrain = false;
  #flushScheduled = false;
  /** Goes out with the next bytes, or by itself when its time comes. */
  #postponed: Uint8Array | undefined;

  constructor(socket: Socket, onDrain: () => void) {
    this.#socket = socket;
    this.#onDrain = onDrain;
    this.#onWritten = (error) => this.#settle(error);
  }

  /** False asks to wait for the drain callback. `head` goes before the chunk. */
  write(chunk: Uint8Array, head?: Uint8Array): boolean {
    if (this.#postponed !== undefined) return this.#writeWithPostponed(chunk, head);
    const bytes = chunk.length + (head?.length ?? 0);
    if (!this.#isWriting && this.#waitingBytes === 0 && bytes <= SMALL_BYTES) {
      this.#writeSmall(chunk, head, bytes);
      return true;
    }
    if (head !== undefined) this.#append(head);
    this.#append(chunk);
    if (!this.#isWriting) {
      if (chunk.length === FULL_RECORD_BYTES && this.#waitingBytes < GATHER_BYTES) this.#scheduleFlush();
      else this.#flush();
    }
    if (this.#waitingBytes < HIGH_WATER_BYTES) return true;
    this.#wantsDrain = true;
    return false;
  }

  /** For a few bytes that had better not go alone: with the next ones, or when `schedule` calls back. */
  writeLater(bytes: Uint8Array, schedule: (flush: () => void) => void): void {
    this.#flushPostponed();
    this.#postponed = bytes;
    schedule(() => {
      if (this.#postponed === bytes) this.#flushPostponed();
    });
  }

  /** Writes what waits, then half-closes. */
  end(): void {
    this.#flushPostponed();
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      // In the socket's own queue from here on, so these buffers are not for the pool.
      this.#socket.write(next.buffer.subarray(0, next.length));
    }
    this.#socket.end();
  }

  #writeWithPostponed(chunk: Uint8Array, head: Uint8Array | undefined): boolean {
    const postponed = this.#postponed ?? new Uint8Array();
    this.#postponed = undefined;
    return this.write(chunk, head === undefined ? postponed : Buffer.concat([postponed, head]));
  }

  #flushPostponed(): void {
    const postponed = this.#postponed;
    this.#postponed = undefined;
    if (postponed !== undefined && !this.#socket.destroyed) this.write(postponed);
  }

  #writeSmall(chunk: Uint8Array, head: Uint8Array | undefined, bytes: number): void {
    const copy = Buffer.allocUnsafe(bytes);
    if (head !== undefined) copy.set(head);
    copy.set(chunk, head?.length ?? 0);
    this.#isWriting = true;
    this.#socket.write(copy, this.#onWritten);
  }

  #append(bytes: Uint8Array): void {
    let from = 0;
    while (from < bytes.length) {
      this.#filling ??= { buffer: acquireBuffer(), length: 0 };
      const { buffer, length } = this.#filling;
      const take = Math.min(bytes.length - from, buffer.length - length);
      buffer.set(from === 0 && take === bytes.length ? bytes : bytes.subarray(from, from + take), length);
      this.#filling.length += take;
      this.#waitingBytes += take;
      from += take;
      if (this.#filling.length < buffer.length) return;
      this.#full.push(this.#filling);
      this.#filling = undefined;
    }
  }

  #next(): Pending | undefined {
    const next = this.#full.shift() ?? this.#filling;
    if (next === this.#filling) this.#filling = undefined;
    this.#waitingBytes -= next?.length ?? 0;
    return next;
  }

  #flush(): void {
    if (this.#isWriting) return;
    const next = this.#next();
    if (next === undefined) return;
    this.#isWriting = true;
    this.#written = next;
    this.#socket.write(next.buffer.subarray(0, next.length), this.#onWritten);
  }

  #scheduleFlush(): void {
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    setImmediate(() => {
      this.#flushScheduled = false;
      this.#flush();
    });
  }

  /** The socket has taken it; after an error a buffer is given up, for the kernel may not be done with it. */
  #settle(error: Error | null | undefined): void {
    const done = this.#written;
    this.#written = undefined;
    this.#isWriting = false;
    if (error) {
      this.#full.length = 0;
      this.#filling = undefined;
      this.#waitingBytes = 0;
      return;
    }
    if (done !== undefined) releaseBuffer(done.buffer);
    if (this.#waitingBytes > 0) this.#flush();
    if (!this.#wantsDrain || this.#waitingBytes > LOW_WATER_BYTES) return;
    this.#wantsDrain = false;
    this.#onDrain();
  }
}
