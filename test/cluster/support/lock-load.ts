import { type Random, randomInteger } from '../../../packages/protocol/src/index.ts';
import type { LockHold } from '../../../packages/conformance/src/linearizability/index.ts';
import type { ClusterServer } from './server.ts';

const DEADLINE_MS = 1000;
const PAUSE_MS = 20;

/** Clients that contend for one lock through all servers, and note the LockIndex of every hold. */
export class LockLoad {
  readonly holds: LockHold[] = [];
  readonly #servers: readonly ClusterServer[];
  readonly #key: string;
  readonly #random: Random;
  readonly #clients: Promise<void>[];
  #stopped = false;

  constructor(servers: readonly ClusterServer[], key: string, clients: number, random: Random) {
    this.#servers = servers;
    this.#key = key;
    this.#random = random;
    this.#clients = Array.from({ length: clients }, (_, client) => this.#run(`l${client}`));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#clients);
  }

  /** A session for each try: what became of an earlier one may be unknown. */
  async #run(client: string): Promise<void> {
    while (!this.#stopped) {
      const session = (await this.#ask<{ ID: string }>('PUT', '/v1/session/create', '{"LockDelay":"0s"}'))?.ID;
      if (session !== undefined) {
        await this.#hold(client, session);
        await this.#ask('PUT', `/v1/session/destroy/${session}`);
      }
      await new Promise((wake) => setTimeout(wake, PAUSE_MS));
    }
  }

  async #hold(client: string, session: string): Promise<void> {
    const key = this.#key;
    const askedMs = performance.now();
    if ((await this.#ask<boolean>('PUT', `/v1/kv/${key}?acquire=${session}`, client)) !== true) return;
    const acquiredMs = performance.now();
    const [entry] = (await this.#ask<{ LockIndex: number; Session?: string }[]>('GET', `/v1/kv/${key}?consistent`)) ?? [];
    if (entry?.Session === session) this.holds.push({ key, client, session, lockIndex: entry.LockIndex, askedMs, acquiredMs });
  }

  /** The answer, undefined when there was none or it was an error. */
  async #ask<T>(method: string, path: string, body?: string): Promise<T | undefined> {
    const server = this.#servers[randomInteger(this.#random, this.#servers.length)];
    try {
      const init = body === undefined ? { method } : { method, body };
      const response = await server?.fetch(path, { ...init, signal: AbortSignal.timeout(DEADLINE_MS) });
      const text = await response?.text();
      return response?.ok === true ? (JSON.parse(text ?? 'null') as T) : undefined;
    } catch {
      return undefined;
    }
  }
}
