import { type Clock, type Logger, type Random, sleep } from '@lictor/protocol';
import { retryDelayMs } from './backoff.ts';
import type { Read } from './port.ts';

export interface WatchPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** Answers that come back sooner than this without news would spin: the next read waits. */
const MIN_ROUND_MS = 10;

/** An answer that no read can wait for is asked for again after this: a denied connection ends within a second (D7). */
const POLL_MS = 500;

/**
 * Reads again and again until aborted, handing over each new value. While the agent is away nothing is handed over, so its
 * user keeps the last good value; the log says so once per failure.
 */
export function watch<T>(what: string, read: Read<T>, ports: WatchPorts, signal: AbortSignal, onValue: (value: T) => void): void {
  void run(what, read, ports, signal, onValue);
}

async function run<T>(what: string, read: Read<T>, ports: WatchPorts, signal: AbortSignal, onValue: (value: T) => void): Promise<void> {
  let cursor: string | undefined;
  let attempt = 0;
  while (!signal.aborted) {
    const startedMs = ports.clock.monotonic();
    try {
      const reading = await read(cursor, signal);
      if (signal.aborted) return;
      if (attempt > 0) ports.logger.info('agent is back', { watch: what });
      attempt = 0;
      if (reading.cursor !== cursor) {
        cursor = reading.cursor;
        onValue(reading.value);
      } else if (ports.clock.monotonic() - startedMs < MIN_ROUND_MS) {
        await sleep(ports.clock, MIN_ROUND_MS, signal);
      }
      if (reading.isUnindexed === true) await sleep(ports.clock, POLL_MS, signal);
    } catch (error) {
      if (signal.aborted) return;
      attempt++;
      const retryMs = retryDelayMs(attempt, ports.random);
      report(what, error, retryMs, cursor !== undefined, ports.logger);
      // After an outage indexes may have restarted: ask for the present state first.
      cursor = undefined;
      await sleep(ports.clock, retryMs, signal).catch(() => undefined);
    }
  }
}

function report(what: string, error: unknown, retryMs: number, hasValue: boolean, logger: Logger): void {
  const message = error instanceof Error ? error.message : String(error);
  const keeping = hasValue ? { note: 'serving with the last good data' } : {};
  logger.error('Watch errored', { type: what, error: message, retry: `${Math.round(retryMs / 1000)}s`, ...keeping });
}
