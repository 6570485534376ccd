import { Agent, request } from 'node:http';
import { type Random, randomInteger } from '../../../packages/protocol/src/index.ts';
import type { Answer, Call, Operation, Outcome } from '../../../packages/conformance/src/linearizability/index.ts';
import type { ClusterServer } from './server.ts';

export interface LoadOptions {
  readonly servers: readonly ClusterServer[];
  readonly clients: number;
  /** All keys of this load start so; a new one for each history, since a history starts from absent keys. */
  readonly prefix: string;
  readonly keys: number;
  readonly random: Random;
  /** Drawn from for each read; those that promise the last write when not given. */
  readonly readModes?: readonly ReadMode[];
}

export type ReadMode = '' | '?consistent' | '?stale';

/** Short: a client that waits for a server that is cut off asks nothing meanwhile. */
const DEADLINE_MS = 1000;
const USUAL_MODES: readonly ReadMode[] = ['', '?consistent'];
const PAUSE_MS = { min: 5, max: 25 };

/** Clients of a cluster that ask for what a seed says through all servers, and note what they were told. */
export class HistoryLoad {
  readonly operations: Operation[] = [];
  readonly #options: LoadOptions;
  readonly #http = new Agent({ keepAlive: true });
  /** The last ModifyIndex that anybody saw, by key: clients race on it with cas. */
  readonly #seen = new Map<string, number>();
  readonly #clients: Promise<void>[];
  #stopped = false;
  #sequence = 0;

  constructor(options: LoadOptions) {
    this.#options = options;
    this.#clients = Array.from({ length: options.clients }, (_, client) => this.#run(client));
  }

  get keys(): string[] {
    return Array.from({ length: this.#options.keys }, (_, key) => `${this.#options.prefix}/k${key}`);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#clients);
    this.#http.destroy();
  }

  /** Reads every key through every server, as part of the history: what was acknowledged must be there. */
  async readAll(): Promise<void> {
    for (const server of this.#options.servers) {
      await Promise.all(this.keys.map((key) => this.#perform(`last-${server.name}`, server, key, { kind: 'get' }, '?consistent')));
    }
  }

  async #run(client: number): Promise<void> {
    const { random, servers, keys, prefix, readModes = USUAL_MODES } = this.#options;
    for (let life = 0; !this.#stopped; ) {
      const server = servers[randomInteger(random, servers.length)];
      if (server === undefined) return;
      const key = `${prefix}/k${randomInteger(random, keys)}`;
      const name = `c${client}${life === 0 ? '' : `.${life}`}`;
      const mode = readModes[randomInteger(random, readModes.length)] ?? '';
      const outcome = await this.#perform(name, server, key, this.#choose(key, name), mode);
      if (outcome.status === 'unknown') life++;
      await new Promise((wake) => setTimeout(wake, PAUSE_MS.min + random.float() * (PAUSE_MS.max - PAUSE_MS.min)));
    }
  }

  #choose(key: string, client: string): Call {
    const draw = this.#options.random.float();
    const index = this.#seen.get(key) ?? 0;
    const value = `${client}-${this.#sequence++}`;
    if (draw < 0.5) return { kind: 'get' };
    if (draw < 0.75) return { kind: 'put', value };
    if (draw < 0.93) return { kind: 'cas', index, value };
    return draw < 0.96 && index > 0 ? { kind: 'delete', index } : { kind: 'delete' };
  }

  async #perform(client: string, server: ClusterServer, key: string, call: Call, readMode: ReadMode): Promise<Outcome> {
    const callMs = performance.now();
    const answered = await this.#send(server, key, call, readMode);
    const outcome = toOutcome(call, answered);
    if (outcome.status === 'ok' && 'index' in outcome.answer) this.#seen.set(key, outcome.answer.index ?? 0);
    if (outcome.status === 'ok' && 'found' in outcome.answer && !outcome.answer.found) this.#seen.delete(key);
    this.operations.push({ client: `${client}@${server.name}${call.kind === 'get' ? readMode : ''}`, key, call, callMs, outcome });
    return outcome;
  }

  #send(server: ClusterServer, key: string, call: Call, readMode: string): Promise<Answered> {
    const { host, ports } = server.place;
    const [method, query] = toRequest(call, readMode);
    return new Promise((done) => {
      const options = { host, port: ports.http, path: `/v1/kv/${key}${query}`, method, agent: this.#http };
      const sent = request({ ...options, signal: AbortSignal.timeout(DEADLINE_MS) }, (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => (text += chunk));
        response.on('end', () => done({ status: response.statusCode ?? 0, text, returnMs: performance.now() }));
        response.on('error', () => done(undefined));
        response.on('aborted', () => done(undefined));
      });
      sent.on('error', (error: NodeJS.ErrnoException) => done(error.code === 'ECONNREFUSED' ? 'refused' : undefined));
      sent.end('value' in call ? call.value : undefined);
    });
  }
}

/** Undefined: no answer. Refused: nobody heard the request. */
type Answered = { readonly status: number; readonly text: string; readonly returnMs: number } | 'refused' | undefined;

function toRequest(call: Call, readMode: string): readonly [method: string, query: string] {
  switch (call.kind) {
    case 'get':
      return ['GET', readMode];
    case 'put':
      return ['PUT', ''];
    case 'cas':
      return ['PUT', `?cas=${call.index}`];
    case 'delete':
      return ['DELETE', call.index === undefined ? '' : `?cas=${call.index}`];
  }
}

/** Only what certainly had no effect has failed: nobody listened, or the request itself was refused. A 5xx may come after the write. */
function toOutcome(call: Call, answered: Answered): Outcome {
  if (answered === 'refused') return { status: 'failed' };
  if (answered === undefined || answered.status >= 500) return { status: 'unknown' };
  const { status, text, returnMs } = answered;
  if (call.kind === 'get') return { status: 'ok', returnMs, answer: toRead(status, text) };
  if (status !== 200) return { status: 'failed' };
  return { status: 'ok', returnMs, answer: { applied: text.trim() === 'true' } };
}

function toRead(status: number, text: string): Answer {
  if (status === 404) return { found: false };
  const [entry] = JSON.parse(text) as { Value: string | null; ModifyIndex: number }[];
  if (status !== 200 || entry === undefined) throw new Error(`a read was answered ${status} ${text}`);
  return { found: true, value: Buffer.from(entry.Value ?? '', 'base64').toString(), index: entry.ModifyIndex };
}
