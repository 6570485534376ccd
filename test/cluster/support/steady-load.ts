import type { ClusterServer } from './server.ts';

const PAUSE_MS = 20;

/** One request of each kind after the other through an agent, until it is stopped; with the answers that were none. */
export class SteadyLoad {
  readonly counts = { put: 0, get: 0, consistent: 0, cached: 0 };
  readonly failures: string[] = [];
  readonly #agent: ClusterServer;
  readonly #running: Promise<unknown>;
  #isStopped = false;

  constructor(agent: ClusterServer) {
    this.#agent = agent;
    this.#running = Promise.all([
      this.#run('put', () => ['/v1/kv/rolling/key', { method: 'PUT', body: String(this.counts.put) }]),
      this.#run('get', () => ['/v1/kv/rolling/?keys', {}]),
      this.#run('consistent', () => ['/v1/catalog/nodes?consistent', {}]),
      this.#run('cached', () => ['/v1/health/service/web?cached', {}]),
    ]);
  }

  async stop(): Promise<{ readonly counts: SteadyLoad['counts']; readonly failures: readonly string[] }> {
    this.#isStopped = true;
    await this.#running;
    return this;
  }

  async #run(kind: keyof SteadyLoad['counts'], next: () => [path: string, init: RequestInit]): Promise<void> {
    while (!this.#isStopped) {
      const [path, init] = next();
      const startMs = performance.now();
      const failure = await this.#agent.fetch(path, { signal: AbortSignal.timeout(30_000), ...init }).then(
        async (response) => {
          const text = await response.text();
          // A folder that is not there yet.
          return response.ok || (kind === 'get' && response.status === 404) ? undefined : `${response.status} ${text}`;
        },
        (thrown: unknown) => String(thrown),
      );
      this.counts[kind]++;
      if (failure !== undefined)
        this.failures.push(`${kind} ${this.counts[kind]} after ${Math.round(performance.now() - startMs)} ms: ${failure}`);
      await new Promise((wake) => setTimeout(wake, PAUSE_MS));
    }
  }
}
