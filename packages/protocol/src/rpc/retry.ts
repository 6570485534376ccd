import { LictorError } from '../errors.ts';
import type { Clock, Random } from '../ports/index.ts';

/** Refusals that say that the call was not carried out: somebody else may. */
const NOT_DONE: ReadonlySet<string> = new Set(['no-leader', 'unavailable']);

/** Whether a call that failed so may be made again. A write whose fate is not known is not repeated. */
export function mayRepeat({ code }: LictorError, isRead: boolean): boolean {
  return NOT_DONE.has(code) || (code === 'outcome-unknown' && isRead);
}

export interface PauseOptions {
  readonly atMostMs: number;
  /** How long it is on average. */
  readonly meanMs: number;
  /** Who is told, and can end the pause. @returns unsubscribes */
  readonly onChange: (listener: () => void) => () => void;
  readonly signal: AbortSignal | undefined;
}

/** Between two attempts: a moment, or until something has changed. @throws LictorError `cancelled` */
export function pauseBeforeRetry(clock: Clock, random: Random, { atMostMs, meanMs, onChange, signal }: PauseOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const finish = (end: () => void): void => {
      timer.cancel();
      unsubscribe();
      signal?.removeEventListener('abort', onAbort);
      end();
    };
    const onAbort = (): void => finish(() => reject(new LictorError('cancelled', 'request cancelled')));
    const timer = clock.setTimer(Math.min(atMostMs, meanMs * (0.5 + random.float())), () => finish(resolve));
    const unsubscribe = onChange(() => finish(resolve));
    if (signal?.aborted === true) onAbort();
    else signal?.addEventListener('abort', onAbort, { once: true });
  });
}
