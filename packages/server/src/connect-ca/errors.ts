import { PkiError, type PkiErrorCode } from '@lictor/pki';
import { type ErrorCode, LictorError } from '@lictor/protocol';

const CODES: Readonly<Partial<Record<PkiErrorCode, ErrorCode>>> = {
  'invalid-csr': 'invalid-argument',
  'invalid-spiffe-id': 'invalid-argument',
  'not-initialized': 'unavailable',
  'rate-limited': 'rate-limited',
};

/** What a client is told about a provider's failure; everything that is not the client's mistake is Consul's 500. */
export function fromPkiError(thrown: unknown, prefix = ''): LictorError {
  if (!(thrown instanceof PkiError)) return LictorError.from(thrown);
  return new LictorError(CODES[thrown.code] ?? 'rejected', prefix + thrown.message, { cause: thrown });
}
