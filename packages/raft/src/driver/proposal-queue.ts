import { setImmediate as nextTurn } from 'node:timers/promises';
import { RaftError } from '../core/errors.ts';
import type { NodeOptions } from './options.ts';
import type { Applied, Waiter } from './waiters.ts';

export interface QueuedProposal extends Waiter<Applied> {
  readonly data: Uint8Array;
}

/** Commands handed to the core at once: enough for one append. */
const BATCH_COMMANDS = 1024;

/**
 * Commands that came in while a write is under way, or in the same turn of the event loop: they become one batch. With peers, every
 * batch costs frames and syncs on all of them: what the turn still reads from its sockets is waited for (8 to 19 % more writes a second
 * with 32 clients).
 */
export class ProposalQueue {
  readonly #options: NodeOptions;
  readonly #flush: () => void;
  readonly #isAlone: () => boolean;
  #queue: QueuedProposal[] = [];
  #bytes = 0;
  #scheduled = false;

  constructor(options: NodeOptions, flush: () => void, isAlone: () => boolean) {
    this.#options = options;
    this.#flush = flush;
    this.#isAlone = isAlone;
  }

  /** `later`: a write is under way, whose end asks for what is here. */
  add(data: Uint8Array, { resolve, reject }: Waiter<Applied>, later: boolean): void {
    const { maxCommandBytes, maxUncommittedBytes } = this.#options;
    if (data.length > maxCommandBytes) {
      reject(new RaftError('too-large', `a command of ${data.length} bytes; at most ${maxCommandBytes}`));
      return;
    }
    if (this.#queue.length > 0 && this.#bytes + data.length > maxUncommittedBytes) {
      reject(new RaftError('overloaded', `${this.#bytes} bytes wait to be proposed`));
      return;
    }
    this.#queue.push({ data, resolve, reject });
    this.#bytes += data.length;
    if (later || this.#scheduled) return;
    this.#scheduled = true;
    const flush = (): void => {
      this.#scheduled = false;
      this.#flush();
    };
    if (this.#isAlone()) queueMicrotask(flush);
    else void nextTurn().then(flush);
  }

  /** Everything, in batches. */
  *take(): Generator<readonly QueuedProposal[]> {
    const queue = this.#queue;
    this.#queue = [];
    this.#bytes = 0;
    let batch: QueuedProposal[] = [];
    let bytes = 0;
    for (const proposal of queue) {
      if (batch.length > 0 && (batch.length >= BATCH_COMMANDS || bytes + proposal.data.length > this.#options.maxAppendBytes)) {
        yield batch;
        batch = [];
        bytes = 0;
      }
      batch.push(proposal);
      bytes += proposal.data.length;
    }
    if (batch.length > 0) yield batch;
  }

  failAll(error: Error): void {
    const queue = this.#queue;
    this.#queue = [];
    this.#bytes = 0;
    for (const { reject } of queue) reject(error);
  }
}
