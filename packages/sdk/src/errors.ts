/** The agent answered, but not with success. The message is in the words that scripts around Consul's CLI look for. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  /** HTTP status. */
  readonly status: number;
  /** The answer's text, trimmed. */
  readonly body: string;

  constructor(status: number, body: string) {
    super(`Unexpected response code: ${status} (${body})`);
    this.status = status;
    this.body = body;
  }
}

/** No answer came: the connection failed, broke, or the caller gave up. Worded as Go's client words it. */
export class TransportError extends Error {
  override readonly name = 'TransportError';
  readonly kind: 'connect' | 'broken' | 'deadline' | 'cancelled' | 'too-large';

  constructor(kind: TransportError['kind'], message: string, cause?: unknown) {
    super(message, { cause });
    this.kind = kind;
  }
}

/** The client's own settings are wrong: nothing was sent. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
}

/** True for failures of a read that may pass: a server's 500 and every broken connection (consul-facts T012). */
export function isRetryable(error: unknown): boolean {
  if (error instanceof ApiError) return error.status >= 500;
  return error instanceof TransportError && (error.kind === 'connect' || error.kind === 'broken' || error.kind === 'deadline');
}
