import type { StateTxn } from '../state/types.ts';

/**
 * One entry of the replicated log.
 *
 * 1. `timeMs` is the proposer's wall clock: apply never reads a clock, so what needs time takes it from here.
 * 2. Randomness (session ids, intention ids) is drawn by the proposer and carried in `body`.
 * 3. `type` and `version` are written forever: a changed body is a new version beside the old one.
 */
export interface Command<Type extends string = string, Body = unknown> {
  readonly type: Type;
  readonly version: number;
  readonly timeMs: number;
  readonly body: Body;
}

/**
 * Applies one command. Total: it never throws on any decoded body; what the state refuses comes back as a `CommandFailure`, and then
 * nothing that it wrote is kept. Deterministic: same state, same command, same result on every server.
 */
export type CommandHandler<Body, Result> = (txn: StateTxn, body: Body, timeMs: number) => Result | Rollback<Result> | CommandFailure;

/** A refusal by the state, in the words that the client will read. */
export class CommandFailure {
  readonly code: 'rejected' | 'not-found' | 'invalid-argument' | 'conflict';
  readonly message: string;

  constructor(code: CommandFailure['code'], message: string) {
    this.code = code;
    this.message = message;
  }
}

/** A result after which nothing is kept either: a transaction that answers with its errors. */
export class Rollback<Result> {
  readonly result: Result;

  constructor(result: Result) {
    this.result = result;
  }
}

/** The handlers of one group, by command type: `{ 'kv.apply': applyKv, ... }`. Collected in fsm/commands/index.ts. */
export type CommandHandlers = Readonly<Record<string, CommandHandler<never, unknown>>>;
