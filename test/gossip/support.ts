import { randomBytes } from 'node:crypto';
import type { ClusterServer } from '../cluster/support/server.ts';

export function newKey(): string {
  return randomBytes(32).toString('base64');
}

/** One write after another through an agent, until it is stopped. */
export class SteadyWrites {
  readonly #agent: ClusterServer;
  readonly #failures: string[] = [];
  readonly #running: Promise<void>;
  #count = 0;
  #isStopped = false;

  constructor(agent: ClusterServer) {
    this.#agent = agent;
    this.#running = this.#run();
  }

  async stop(): Promise<{ readonly count: number; readonly failures: readonly string[] }> {
    this.#isStopped = true;
    await this.#running;
    return { count: this.#count, failures: this.#failures };
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      const response = await this.#agent.fetch(`/v1/kv/steady/${this.#count++}`, { method: 'PUT', body: 'x' }).catch(String);
      const text = typeof response === 'string' ? response : await response.text();
      if (text !== 'true') this.#failures.push(text);
      // Gossip shares the machine.
      await new Promise((wake) => setTimeout(wake, 20));
    }
  }
}
