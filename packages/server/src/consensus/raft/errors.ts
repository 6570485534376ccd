import { LictorError } from '@lictor/protocol';
import { RaftError, type RaftErrorCode } from '@lictor/raft';
import { noLeader } from '../../no-leader.ts';

const CODES: Readonly<Record<RaftErrorCode, ConstructorParameters<typeof LictorError>[0]>> = {
  'not-leader': 'no-leader',
  transferring: 'no-leader',
  overloaded: 'unavailable',
  'too-large': 'too-large',
  'membership-pending': 'unavailable',
  'invalid-membership': 'rejected',
  'quorum-silent': 'rejected',
  'outcome-unknown': 'outcome-unknown',
  stopped: 'no-leader',
  storage: 'internal',
  'already-bootstrapped': 'rejected',
  corrupt: 'internal',
  'newer-format': 'internal',
};

/** Waits, and rejects with `fromRaft`'s errors. */
export async function translated<Result>(call: Promise<Result>): Promise<Result> {
  try {
    return await call;
  } catch (thrown) {
    throw fromRaft(thrown);
  }
}

/** Callers know our codes only. Who leads is not their business: the forwarder finds it. */
export function fromRaft(thrown: unknown): LictorError {
  if (!(thrown instanceof RaftError)) return LictorError.from(thrown);
  const code = CODES[thrown.code];
  return code === 'no-leader' ? noLeader(thrown) : new LictorError(code, thrown.message, { cause: thrown });
}
