/**
 * What can go wrong on an API or RPC call: one closed set of codes for the whole system, with one map to HTTP statuses.
 * The message is the text that a client sees, in Consul's wording where it has one; `cause` is for logs only.
 */
export const ERROR_CODES = [
  /** The request is malformed: the caller must change it. */
  'invalid-argument',
  /** ACLs are off, so a request about them has no meaning. */
  'acl-disabled',
  'permission-denied',
  'not-found',
  'method-not-allowed',
  /** A transaction rolled back. */
  'conflict',
  'too-large',
  'rate-limited',
  /** Well formed, but refused by a rule or by the current state. Consul answers 500 for these, and clients know it. */
  'rejected',
  'no-leader',
  'no-path-to-datacenter',
  /** A write was sent but its fate is not known: it may have been applied. */
  'outcome-unknown',
  /** Overloaded or shutting down; safe to retry elsewhere. */
  'unavailable',
  'deadline-exceeded',
  'cancelled',
  /** A bug or a broken environment. */
  'internal',
] as const;
export type ErrorCode = (typeof ERROR_CODES)[number];

const HTTP_STATUS: Readonly<Record<ErrorCode, number>> = {
  'invalid-argument': 400,
  'acl-disabled': 401,
  'permission-denied': 403,
  'not-found': 404,
  'method-not-allowed': 405,
  conflict: 409,
  'too-large': 413,
  'rate-limited': 429,
  rejected: 500,
  'no-leader': 500,
  'no-path-to-datacenter': 500,
  'outcome-unknown': 500,
  unavailable: 503,
  'deadline-exceeded': 500,
  cancelled: 499,
  internal: 500,
};

export class LictorError extends Error {
  override readonly name = 'LictorError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
  }

  get httpStatus(): number {
    return HTTP_STATUS[this.code];
  }

  /** What to tell a caller about anything thrown: known errors as they are, everything else as `internal` with its message. */
  static from(thrown: unknown): LictorError {
    if (thrown instanceof LictorError) return thrown;
    if (thrown instanceof Error) {
      if (thrown.name === 'AbortError') return new LictorError('cancelled', 'request cancelled', { cause: thrown });
      return new LictorError('internal', thrown.message, { cause: thrown });
    }
    return new LictorError('internal', String(thrown));
  }
}

/** For states that cannot be: a failure is a bug in Lictor, in production too. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new LictorError('internal', `assertion failed: ${message}`);
}
