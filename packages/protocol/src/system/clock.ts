import type { Clock, Timer } from '../ports/clock.ts';

/** Node fires longer delays at once (and warns), so they are taken in steps. */
const MAX_STEP_MS = 2 ** 31 - 1;

/** The operating system's clock. Timers are unreferenced: what keeps a process alive is its sockets, not its retries. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer: (delayMs, callback) => startTimer(Math.max(0, delayMs), callback),
};

function startTimer(delayMs: number, callback: () => void): Timer {
  let handle: NodeJS.Timeout;
  const arm = (remainingMs: number): void => {
    const stepMs = Math.min(remainingMs, MAX_STEP_MS);
    handle = setTimeout(() => {
      if (remainingMs > stepMs) arm(remainingMs - stepMs);
      else callback();
    }, stepMs);
    handle.unref();
  };
  arm(delayMs);
  return { cancel: () => clearTimeout(handle) };
}
