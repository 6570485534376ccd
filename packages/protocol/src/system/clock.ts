import type { Clock, Timer } from '../ports/clock.ts';

/** Node fires longer delays at once (and warns), so they are taken in steps. */
const MAX_STEP_MS = 2 ** 31 - 1;

/** The operating system's clock. Timers are unreferenced: what keeps a process alive is its sockets, not its retries. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer: (delayMs, callback) => startTimer(Math.max(0, delayMs), callback),
};

/** Node counts from the start of the loop's turn, in whole milliseconds: its timers can be early, and are then set again for the rest. */
function startTimer(delayMs: number, callback: () => void): Timer {
  const dueMs = performance.now() + delayMs;
  let handle: NodeJS.Timeout;
  const arm = (remainingMs: number): void => {
    handle = setTimeout(
      () => {
        const restMs = dueMs - performance.now();
        if (restMs > 0) arm(restMs);
        else callback();
      },
      Math.min(Math.ceil(remainingMs), MAX_STEP_MS),
    );
    handle.unref();
  };
  arm(delayMs);
  return { cancel: () => clearTimeout(handle) };
}
