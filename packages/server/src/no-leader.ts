import { LictorError } from '@lictor/protocol';

/** In Consul's words, which clients know. `cause`: how it came to light. */
export function noLeader(cause?: Error): LictorError {
  return new LictorError('no-leader', 'No cluster leader', cause === undefined ? undefined : { cause });
}
