// Loaded into the processes of a soak before their program (`node --import`): tells from inside what /proc does not know. Writes
// LICTOR_PROBE_FOLDER/PID.json every ten seconds.
import { renameSync, writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';

const EVERY_MS = 10_000;
const RESOLUTION_MS = 10;
const NS_PER_MS = 1e6;

const folder = process.env['LICTOR_PROBE_FOLDER'];
if (folder !== undefined) begin(`${folder}/${process.pid}.json`);

function begin(file: string): void {
  const { setInterval: repeat } = globalThis;
  const countTimers = watchTimers();
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  repeat(() => {
    const loopP99Ms = Math.max(0, delay.percentile(99) / NS_PER_MS - RESOLUTION_MS);
    // A collection of its own: what is still there afterwards is held by something. It is kept out of the loop's delays.
    (globalThis as { gc?: () => void }).gc?.();
    const { heapUsed, external } = process.memoryUsage();
    delay.reset();
    writeFileSync(`${file}.new`, JSON.stringify({ heapBytes: heapUsed + external, timers: countTimers(), loopP99Ms }));
    renameSync(`${file}.new`, file);
  }, EVERY_MS).unref();
}

/** Counts the timers that wait: Node tells of those alone that keep the process alive, and ours do not. */
function watchTimers(): () => number {
  const waiting = new Set<unknown>();
  const { setTimeout: set, clearTimeout: clear, setInterval: repeat, clearInterval: end } = globalThis;
  const begun = (callback: (...args: unknown[]) => void, delayMs?: number, ...args: unknown[]): NodeJS.Timeout => {
    const timer = set(
      (...given: unknown[]) => {
        waiting.delete(timer);
        callback(...given);
      },
      delayMs,
      ...args,
    );
    waiting.add(timer);
    return timer;
  };
  const repeated = (callback: (...args: unknown[]) => void, delayMs?: number, ...args: unknown[]): NodeJS.Timeout => {
    const timer = repeat(callback, delayMs, ...args);
    waiting.add(timer);
    return timer;
  };
  const taken =
    (take: (timer?: NodeJS.Timeout) => void) =>
    (timer?: NodeJS.Timeout): void => {
      waiting.delete(timer);
      take(timer);
    };
  Object.assign(globalThis, {
    setTimeout: Object.assign(begun, set),
    setInterval: Object.assign(repeated, repeat),
    clearTimeout: taken(clear),
    clearInterval: taken(end),
  });
  return () => waiting.size;
}
