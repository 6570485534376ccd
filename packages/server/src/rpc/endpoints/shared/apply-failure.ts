import { LictorError } from '@lictor/protocol';

/** Consul puts where a refusal comes from before what the state says: `raft apply failed: invalid session "x"`. */
export function applyFailure(context: string): (thrown: unknown) => never {
  return (thrown) => {
    if (thrown instanceof LictorError && thrown.code === 'rejected') {
      throw new LictorError('rejected', `${context}: ${thrown.message}`, { cause: thrown });
    }
    throw thrown;
  };
}
