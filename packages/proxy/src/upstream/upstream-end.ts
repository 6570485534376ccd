import { type ByteEnd, type EndHandler, StreamFailure } from '../relay/end.ts';
import type { Refusal } from '../tunnel/frame.ts';

/** Bytes kept until a destination has taken the stream; an application that sends more has to wait. */
const KEPT_BYTES = 32 * 1024;

/**
 * The far end of an application's connection, from its first moment on: before there is a destination, while one is tried, and when it
 * has taken the stream.
 *
 * 1. waiting (no target): bytes are kept.
 * 2. trying (target, not accepted): bytes are kept and sent, so that a request reaches the destination with the stream's beginning. When
 *    the destination refuses, no byte has been delivered, and the next one gets them again.
 * 3. accepted: nothing is kept, bytes pass through.
 */
export class UpstreamEnd implements ByteEnd {
  #handler: EndHandler | undefined;
  #target: ByteEnd | undefined;
  #kept: Buffer[] = [];
  #keptBytes = 0;
  #isAccepted = false;
  #isFinished = false;
  #isPaused = false;
  #isClosed = false;

  /** The application has gone, or the stream was ended: no destination is wanted any more. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  attach(handler: EndHandler): void {
    this.#handler = handler;
  }

  write(chunk: Buffer): boolean {
    if (this.#isAccepted) return this.#target?.write(chunk) ?? true;
    if (this.#isClosed) return true;
    const copy = Buffer.from(chunk);
    this.#kept.push(copy);
    this.#keptBytes += copy.length;
    this.#target?.write(copy);
    return this.#keptBytes < KEPT_BYTES;
  }

  finish(): void {
    this.#isFinished = true;
    this.#target?.finish();
  }

  abort(refusal: Refusal): void {
    if (this.#isClosed) return;
    const target = this.#target;
    this.#close(new StreamFailure(refusal));
    target?.abort(refusal);
  }

  pause(): void {
    this.#isPaused = true;
    this.#target?.pause();
  }

  resume(): void {
    this.#isPaused = false;
    this.#target?.resume();
  }

  /** Tries a destination, instead of the one before. In the turn of the event loop that made `target`. */
  tryTarget(target: ByteEnd): void {
    this.#target = target;
    const handler = this.#handler;
    if (handler === undefined) throw new Error('not attached');
    const isPresent = (): boolean => this.#target === target && !this.#isClosed;
    target.attach({
      onData: (chunk) => handler.onData(chunk),
      onFinish: () => handler.onFinish(),
      onDrain: () => {
        if (isPresent() && this.#isAccepted) handler.onDrain();
      },
      // Before it has been accepted, whoever chose it hears of its end and tries another.
      onClosed: (error) => {
        if (isPresent() && this.#isAccepted) this.#close(error);
      },
    });
    for (const chunk of this.#kept) target.write(chunk);
    if (this.#isFinished) target.finish();
    if (!this.#isPaused) target.resume();
  }

  /** The present target has taken the stream. */
  accept(): void {
    if (this.#isClosed || this.#isAccepted) return;
    this.#isAccepted = true;
    const wasFull = this.#keptBytes >= KEPT_BYTES;
    this.#kept = [];
    if (wasFull) this.#handler?.onDrain();
  }

  /** There is no destination. */
  fail(refusal: Refusal): void {
    this.#close(new StreamFailure(refusal));
  }

  #close(error?: Error): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#kept = [];
    this.#target = undefined;
    this.#handler?.onClosed(error);
  }
}
