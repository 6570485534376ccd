import type { ClusterServer } from './server.ts';

/** A request that is made again and again. */
export interface SteadyRequest {
  readonly make: (count: number) => readonly [path: string, init: RequestInit];
  /** Whether it was answered as it should be. */
  readonly isGood: (status: number, text: string) => boolean;
}

/** Gossip and the agents share the machine. */
const PAUSE_MS = 20;

/** Another key each time. */
export const KEY_WRITES: SteadyRequest = {
  make: (count) => [`/v1/kv/steady/${count}`, { method: 'PUT', body: 'x' }],
  isGood: (_status, text) => text === 'true',
};

/** One request of each kind after the other through an agent, until it is stopped; with the answers that were none. */
export class SteadyLoad<Kind extends string> {
  readonly counts: Record<Kind, number>;
  readonly failures: string[] = [];
  readonly #agent: ClusterServer;
  readonly #running: Promise<unknown>;
  #isStopped = false;

  constructor(agent: ClusterServer, requests: Readonly<Record<Kind, SteadyRequest>>) {
    this.#agent = agent;
    const kinds = Object.keys(requests) as Kind[];
    this.counts = Object.fromEntries(kinds.map((kind) => [kind, 0])) as Record<Kind, number>;
    this.#running = Promise.all(kinds.map((kind) => this.#run(kind, requests[kind])));
  }

  async stop(): Promise<{ readonly counts: Readonly<Record<Kind, number>>; readonly failures: readonly string[] }> {
    this.#isStopped = true;
    await this.#running;
    return this;
  }

  async #run(kind: Kind, { make, isGood }: SteadyRequest): Promise<void> {
    while (!this.#isStopped) {
      const startMs = performance.now();
      const failure = await this.#agent.fetch(...make(this.counts[kind]++)).then(
        async (response) => {
          const text = await response.text();
          return isGood(response.status, text) ? undefined : `${response.status} ${text}`;
        },
        (thrown: unknown) => String(thrown),
      );
      if (failure !== undefined)
        this.failures.push(`${kind} ${this.counts[kind]} after ${Math.round(performance.now() - startMs)} ms: ${failure}`);
      await new Promise((wake) => setTimeout(wake, PAUSE_MS));
    }
  }
}
