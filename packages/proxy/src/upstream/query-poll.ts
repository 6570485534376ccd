import type { CheckServiceNode, Clock } from '@lictor/protocol';
import type { Read } from '../control-plane/port.ts';
import { watch, type WatchPorts } from '../control-plane/watch.ts';

/** consul-facts T026: a prepared query cannot be waited for, so it is executed again and again. */
const POLL_MS = 30_000;
/** What it found does not serve: so soon it may be executed again. */
const MIN_POLL_MS = 1_000;

export interface QueryPoll {
  /** The instances do not serve, or there are none: does not wait for the next turn. */
  hurry(): void;
}

/** Executes a prepared query until aborted and hands over what it finds. While the agent is away nothing is handed over. */
export function pollQuery(
  what: string,
  execute: (signal: AbortSignal) => Promise<readonly CheckServiceNode[]>,
  ports: WatchPorts,
  signal: AbortSignal,
  onInstances: (instances: readonly CheckServiceNode[]) => void,
): QueryPoll {
  const pause = new Pause(ports.clock, signal);
  let round = 0;
  const read: Read<readonly CheckServiceNode[]> = async (cursor) => {
    if (cursor !== undefined) await pause.wait();
    pause.begin();
    const value = await execute(signal);
    // Their order is random, so that no two answers are the same.
    return { value, cursor: String(++round) };
  };
  watch(what, read, ports, signal, onInstances);
  return { hurry: () => pause.hurry() };
}

class Pause {
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  #beganMs = 0;
  #isHurried = false;
  #replan: (() => void) | undefined;

  constructor(clock: Clock, signal: AbortSignal) {
    this.#clock = clock;
    this.#signal = signal;
  }

  begin(): void {
    this.#beganMs = this.#clock.monotonic();
    this.#isHurried = false;
  }

  hurry(): void {
    if (this.#isHurried) return;
    this.#isHurried = true;
    this.#replan?.();
  }

  /** @throws when aborted */
  wait(): Promise<void> {
    return new Promise((resolve, reject) => {
      const plan = () => {
        const untilMs = this.#beganMs + (this.#isHurried ? MIN_POLL_MS : POLL_MS);
        return this.#clock.setTimer(Math.max(0, untilMs - this.#clock.monotonic()), () => end(resolve));
      };
      const end = (settle: () => void): void => {
        timer.cancel();
        this.#replan = undefined;
        this.#signal.removeEventListener('abort', onAbort);
        settle();
      };
      const onAbort = (): void => end(() => reject(new Error('aborted')));
      let timer = plan();
      this.#replan = () => {
        timer.cancel();
        timer = plan();
      };
      this.#signal.addEventListener('abort', onAbort, { once: true });
      if (this.#signal.aborted) onAbort();
    });
  }
}
