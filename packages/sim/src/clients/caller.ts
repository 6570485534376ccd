import { type CallOptions, LictorError, type RpcMethod, type RpcReply, type RpcRequest } from '@lictor/protocol';
import type { ServerProcess } from '../cluster/process.ts';
import type { Scheduler } from '../time/scheduler.ts';

/** `refused`: it certainly had no effect; `unknown`: the server died, or says that it does not know. */
export type Answer<Reply> =
  | { readonly kind: 'ok'; readonly reply: Reply }
  | { readonly kind: 'refused'; readonly code: string }
  | { readonly kind: 'unknown' };

export interface Pending {
  readonly process: ServerProcess;
  readonly method: string;
  readonly sinceMs: number;
  /** True time after which it should have been answered. */
  readonly dueMs: number;
}

/** What may still have happened. */
const OPEN_CODES: ReadonlySet<string> = new Set(['outcome-unknown', 'internal', 'deadline-exceeded', 'cancelled']);

/** Calls servers as their own agents do, and knows who has not been answered. */
export class Caller {
  readonly #scheduler: Scheduler;
  readonly #onLate: (pending: Pending, tookMs: number) => void;
  readonly pending = new Set<Pending>();
  calls = 0;

  /** `onLate` hears of answers that came after they were due. */
  constructor(scheduler: Scheduler, onLate: (pending: Pending, tookMs: number) => void) {
    this.#scheduler = scheduler;
    this.#onLate = onLate;
  }

  /**
   * `before` runs in the moment of the call, `after` in that of the answer, before any other client acts; both at the server.
   * @returns when the client has its answer
   */
  call<M extends RpcMethod>(
    process: ServerProcess,
    method: M,
    request: RpcRequest<M>,
    options: CallOptions,
    { before = () => undefined, after = () => undefined, withinMs }: CallHooks<RpcReply<M>>,
  ): Promise<Answer<RpcReply<M>>> {
    const scheduler = this.#scheduler;
    this.calls++;
    return new Promise((resolve) => {
      const pending: Pending = { process, method, sinceMs: scheduler.nowMs, dueMs: scheduler.nowMs + withinMs };
      const settle = (answer: Answer<RpcReply<M>>): void => {
        if (!this.pending.delete(pending)) return;
        process.host.onGone.delete(gone);
        if (scheduler.nowMs > pending.dueMs && !process.isDead) this.#onLate(pending, scheduler.nowMs - pending.sinceMs);
        after(answer);
        scheduler.note('answer', process.machine.name, method, answer.kind, answer.kind === 'refused' ? answer.code : '');
        scheduler.at(0, undefined, () => resolve(answer));
      };
      const gone = (): void => settle({ kind: 'unknown' });
      this.pending.add(pending);
      process.host.onGone.add(gone);
      if (process.isDead) return gone();
      scheduler.at(0, process, () => {
        before();
        process.server.port.call(method, request, options).then(
          (reply) => settle({ kind: 'ok', reply }),
          (thrown: unknown) => settle(refusal(thrown)),
        );
      });
      return undefined;
    });
  }
}

export interface CallHooks<Reply> {
  readonly before?: () => void;
  readonly after?: (answer: Answer<Reply>) => void;
  /** How long it may take while everything works. */
  readonly withinMs: number;
}

function refusal(thrown: unknown): Answer<never> {
  const code = thrown instanceof LictorError ? thrown.code : `not a LictorError: ${String(thrown)}`;
  return OPEN_CODES.has(code) ? { kind: 'unknown' } : { kind: 'refused', code };
}
