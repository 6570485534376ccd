import { LictorError } from '@lictor/protocol';

/** An error whose answer carries headers beside the common ones. */
export class ReplyHeadersError extends LictorError {
  readonly headers: readonly string[];

  constructor(error: LictorError, headers: readonly string[]) {
    super(error.code, error.message, { cause: error });
    this.headers = headers;
  }
}
