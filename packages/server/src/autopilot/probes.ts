import type { Clock, Logger, RaftStats, Timer } from '@lictor/protocol';
import { parseRaftStats } from './raft-stats.ts';
import type { LogEnd, ServerSample } from './types.ts';

/** Consul's health interval (consul-facts T018). */
export const PROBE_INTERVAL_MS = 2000;
/** An answer that comes later says nothing about now. */
const PROBE_TIMEOUT_MS = 2000;

/** A server that can be asked. */
export interface ProbeTarget {
  readonly id: string;
  readonly name: string;
  /** `ip:port`. */
  readonly rpcAddress: string;
}

export interface ProbePorts {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Everybody but this server. */
  readonly targets: () => readonly ProbeTarget[];
  /** Where the leader's log ends now. */
  readonly leaderEnd: () => LogEnd | undefined;
  readonly fetchStats: (target: ProbeTarget, signal: AbortSignal) => Promise<RaftStats>;
}

/** Asks the other servers how they stand, each at most once at a time, for as long as it runs. */
export class Probes {
  readonly #ports: ProbePorts;
  readonly #onRound: () => void;
  readonly #samples = new Map<string, ServerSample>();
  readonly #asking = new Set<string>();
  #timer: Timer | undefined;
  #stopping = new AbortController();

  /** `onRound` is called when everybody asked has answered, or had the time for it. */
  constructor(ports: ProbePorts, onRound: () => void) {
    this.#ports = ports;
    this.#onRound = onRound;
  }

  get samples(): ReadonlyMap<string, ServerSample> {
    return this.#samples;
  }

  start(): void {
    if (this.#timer !== undefined) return;
    this.#stopping = new AbortController();
    this.#arm();
    void this.#round();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#stopping.abort();
  }

  #arm(): void {
    this.#timer = this.#ports.clock.setTimer(PROBE_INTERVAL_MS, () => {
      this.#arm();
      void this.#round();
    });
  }

  async #round(): Promise<void> {
    const targets = this.#ports.targets();
    const known = new Set(targets.map(({ id }) => id));
    for (const id of this.#samples.keys()) if (!known.has(id)) this.#samples.delete(id);
    const { signal } = this.#stopping;
    await Promise.all(targets.filter(({ id }) => !this.#asking.has(id)).map((target) => this.#ask(target, signal)));
    if (!signal.aborted) this.#onRound();
  }

  /** Resolves when the answer is here, or would come too late. */
  async #ask(target: ProbeTarget, signal: AbortSignal): Promise<void> {
    const { clock, leaderEnd, fetchStats } = this.#ports;
    const end = leaderEnd();
    const { expired, cancel } = deadline(clock, signal);
    this.#asking.add(target.id);
    const answered = fetchStats(target, expired)
      .then((answer) => {
        const stats = parseRaftStats(answer);
        if (!expired.aborted) this.#samples.set(target.id, { stats, takenMs: clock.monotonic(), leaderEnd: end });
      })
      .catch((error: unknown) => this.#ports.logger.debug('a server did not say how it stands', { server: target.name, error }))
      .finally(() => this.#asking.delete(target.id));
    await Promise.race([answered, aborted(expired)]);
    cancel();
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** Aborts in time, or when `signal` does. */
function deadline(clock: Clock, signal: AbortSignal): { readonly expired: AbortSignal; readonly cancel: () => void } {
  const controller = new AbortController();
  const onAbort = (): void => controller.abort();
  const timer = clock.setTimer(PROBE_TIMEOUT_MS, onAbort);
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  return {
    expired: controller.signal,
    cancel: () => {
      timer.cancel();
      signal.removeEventListener('abort', onAbort);
    },
  };
}
