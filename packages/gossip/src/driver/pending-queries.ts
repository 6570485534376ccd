import { GossipError } from '../errors.ts';
import type { SerfEvent, SerfQuery } from '../serf/index.ts';
import type { QueryResponse } from '../types.ts';
import type { Engine } from './engine.ts';

interface Pending {
  readonly responses: QueryResponse[];
  readonly onResponse: ((response: QueryResponse) => void) | undefined;
  /** After so many answers nobody is waited for. */
  readonly enough: number;
  readonly done: PromiseWithResolvers<readonly QueryResponse[]>;
}

export interface AskOptions {
  readonly onResponse?: (response: QueryResponse) => void;
  readonly enough?: number;
}

/** This member's own queries, until their time is over. */
export class PendingQueries {
  readonly #engine: Engine;
  readonly #byId = new Map<number, Pending>();
  /** What comes while the query is being asked: this member's own answer. */
  #early: SerfEvent[] | undefined;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** @throws GossipError as `Serf.query` */
  ask(request: SerfQuery, { onResponse, enough = Infinity }: AskOptions = {}): Promise<readonly QueryResponse[]> {
    const early: SerfEvent[] = [];
    this.#early = early;
    let id: number;
    try {
      id = this.#engine.run((serf, nowMs) => serf.query(request, nowMs));
    } finally {
      this.#early = undefined;
    }
    const pending: Pending = { responses: [], onResponse, enough, done: Promise.withResolvers() };
    this.#byId.set(id, pending);
    for (const event of early) this.hear(event);
    return pending.done.promise;
  }

  hear(event: SerfEvent): void {
    if (this.#early !== undefined) return void this.#early.push(event);
    if (event.type === 'response') this.#response(event.id, event.response);
    if (event.type === 'query-done') this.#finish(event.id);
  }

  stop(): void {
    for (const { done } of this.#byId.values()) done.reject(new GossipError('stopped', 'gossip has stopped'));
    this.#byId.clear();
  }

  #response(id: number, response: QueryResponse): void {
    const pending = this.#byId.get(id);
    if (pending === undefined) return;
    pending.responses.push(response);
    pending.onResponse?.(response);
    if (pending.responses.length < pending.enough) return;
    this.#finish(id);
    this.#engine.run((serf) => serf.closeQuery(id));
  }

  #finish(id: number): void {
    const pending = this.#byId.get(id);
    this.#byId.delete(id);
    pending?.done.resolve(pending.responses);
  }
}
