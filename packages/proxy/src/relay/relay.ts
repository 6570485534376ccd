import { REFUSAL, type Refusal } from '../tunnel/frame.ts';
import { type ByteEnd, type EndHandler, StreamFailure } from './end.ts';

/** Bytes through one relay, read by the metrics while it runs. */
export interface RelayCounters {
  /** From the first end to the second. */
  forward: number;
  backward: number;
}

export interface Relay {
  readonly counters: RelayCounters;
  /** Breaks off both ends. Idempotent. */
  abort(refusal: Refusal): void;
}

/** Without an error, both ways had finished. */
export type RelayDone = (error?: Error) => void;

/**
 * Joins two paused ends until both have closed. Each way ends on its own (half-close), and a writer that is full pauses its
 * reader: memory stays at what two socket buffers hold.
 */
export function relay(first: ByteEnd, second: ByteEnd, onDone: RelayDone): Relay {
  const counters: RelayCounters = { forward: 0, backward: 0 };
  let open = 2;
  let failure: Error | undefined;

  const closed = (other: ByteEnd, error: Error | undefined): void => {
    if (error !== undefined && failure === undefined) {
      failure = error;
      if (open === 2) other.abort(error instanceof StreamFailure ? error.refusal : { code: REFUSAL.reset, reason: error.message });
    }
    if (--open === 0) onDone(failure);
  };
  const abort = (refusal: Refusal): void => {
    failure ??= new Error(refusal.reason);
    first.abort(refusal);
    second.abort(refusal);
  };
  const handler = (from: ByteEnd, to: ByteEnd, onData: (chunk: Buffer) => void): EndHandler => ({
    onData,
    onFinish: () => to.finish(),
    onDrain: () => to.resume(),
    onClosed: (error) => closed(to, error),
  });

  first.attach(
    handler(first, second, (chunk) => {
      counters.forward += chunk.length;
      if (!second.write(chunk)) first.pause();
    }),
  );
  second.attach(
    handler(second, first, (chunk) => {
      counters.backward += chunk.length;
      if (!first.write(chunk)) second.pause();
    }),
  );
  first.resume();
  second.resume();
  return { counters, abort };
}
