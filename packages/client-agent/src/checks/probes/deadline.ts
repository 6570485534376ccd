import type { Clock } from '@lictor/protocol';

export interface Deadline {
  /** Aborts when the time is over or the caller's signal does. */
  readonly signal: AbortSignal;
  readonly isOver: () => boolean;
  end(): void;
}

/** The time that one probe has. Call `end` when it is done. */
export function startDeadline(clock: Clock, timeoutMs: number, outer: AbortSignal): Deadline {
  const controller = new AbortController();
  let isOver = false;
  const timer = clock.setTimer(timeoutMs, () => {
    isOver = true;
    controller.abort(new Error('context deadline exceeded'));
  });
  const onAbort = (): void => controller.abort(outer.reason);
  if (outer.aborted) onAbort();
  else outer.addEventListener('abort', onAbort, { once: true });
  return {
    signal: controller.signal,
    isOver: () => isOver,
    end: () => {
      timer.cancel();
      outer.removeEventListener('abort', onAbort);
    },
  };
}
