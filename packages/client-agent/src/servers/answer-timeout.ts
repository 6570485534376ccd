import { type CallOptions, type Clock, LictorError, type RpcMethod, waitTimeMs, type WaitLimits } from '@lictor/protocol';

/** Servers let calls wait up to so much longer, each another time (consul-facts T002). */
const JITTER_FRACTION = 16;
/** As long as the archive takes; Consul sends them beside its RPC, without a limit. */
const UNLIMITED: ReadonlySet<RpcMethod> = new Set<RpcMethod>(['Snapshot.Save', 'Snapshot.Restore']);

/** How long the answer to a call may take, ms; 0: for ever. One that blocks has its time to wait besides. */
export function answerTimeoutMs(method: RpcMethod, { query }: CallOptions, limits: WaitLimits, clientTimeoutMs: number): number {
  if (clientTimeoutMs <= 0 || UNLIMITED.has(method)) return 0;
  const { minIndex = 0, appliedIndex = 0, maxWaitMs } = query ?? {};
  if (minIndex === 0 && appliedIndex === 0) return clientTimeoutMs;
  const waitMs = waitTimeMs(maxWaitMs, limits);
  return waitMs + waitMs / JITTER_FRACTION + clientTimeoutMs;
}

/**
 * Gives `call` so long to answer, then cancels it.
 * @throws LictorError `deadline-exceeded` in Consul's words: nobody knows what has become of it
 */
export async function callWithin<T>(
  clock: Clock,
  timeoutMs: number,
  signal: AbortSignal | undefined,
  call: (signal: AbortSignal | undefined) => Promise<T>,
): Promise<T> {
  if (timeoutMs <= 0) return call(signal);
  const ended = new AbortController();
  let isLate = false;
  const onAbort = (): void => ended.abort(signal?.reason);
  const timer = clock.setTimer(timeoutMs, () => {
    isLate = true;
    ended.abort();
  });
  if (signal?.aborted === true) onAbort();
  else signal?.addEventListener('abort', onAbort, { once: true });
  try {
    return await call(ended.signal);
  } catch (thrown) {
    if (!isLate) throw thrown;
    throw new LictorError('deadline-exceeded', 'rpc error making call: i/o deadline reached', { cause: thrown });
  } finally {
    timer.cancel();
    signal?.removeEventListener('abort', onAbort);
  }
}
