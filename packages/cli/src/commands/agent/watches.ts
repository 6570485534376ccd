import { isDeepStrictEqual } from 'node:util';
import type { RuntimeConfig } from '@lictor/client-agent';
import { type Logger, Secret, sleep } from '@lictor/protocol';
import { systemClock } from '@lictor/protocol/system';
import { type Answer, createClient, type LictorClient, stringifyJson } from '@lictor/sdk';
import { startChild } from '../../framework/child-process.ts';
import { messageOf } from '../../framework/command.ts';
import type { Io } from '../../framework/io.ts';
import { createWatchQuery, type WatchQuery } from '../watch-plan.ts';
import { readWatch, type WatchDefinition, type WatchHandler } from './watch-definition.ts';

/** Consul's: 5 s times the square of the failures, at most 3 minutes (consul-facts T028). */
const RETRY_MS = 5_000;
const LONGEST_RETRY_MS = 180_000;
/** Answers that come without news are not asked for more often. */
const PAUSE_MS = 1_000;

export interface WatchPorts {
  readonly io: Io;
  readonly logger: Logger;
}

/** The `watches` of the configuration: each asks this agent's own HTTP API and tells its handler of every change. */
export class ConfiguredWatches {
  readonly #ports: WatchPorts;
  #entries: RuntimeConfig['watches'] = [];
  #stopped = new AbortController();

  constructor(ports: WatchPorts) {
    this.#ports = ports;
  }

  /** Starts them anew when they changed. */
  apply(config: RuntimeConfig): void {
    if (isDeepStrictEqual(config.watches, this.#entries)) return;
    this.stop();
    this.#entries = config.watches;
    this.#stopped = new AbortController();
    const { signal } = this.#stopped;
    for (const entry of config.watches) void this.#run(entry, config, signal);
  }

  stop(): void {
    this.#stopped.abort(new Error('watches stopped'));
  }

  async #run(entry: Readonly<Record<string, unknown>>, config: RuntimeConfig, signal: AbortSignal): Promise<void> {
    const { logger } = this.#ports;
    try {
      const definition = readWatch(entry);
      const client = createClient({ address: apiAddress(config), ...(definition.token !== '' && { token: new Secret(definition.token) }) });
      const query = createWatchQuery(definition.parameters, () => client);
      await this.#follow(definition, query, client, signal);
    } catch (error) {
      if (!signal.aborted) logger.error('Failed to run watch', { type: entry['type'], error: messageOf(error) });
    }
  }

  async #follow(definition: WatchDefinition, query: WatchQuery, client: LictorClient, signal: AbortSignal): Promise<void> {
    let index = '';
    let lastText: string | undefined;
    for (let failures = 0; !signal.aborted; ) {
      let answer: Answer<unknown>;
      try {
        answer = await query({ signal, ...(index !== '' && { index }) }, index);
        failures = 0;
      } catch (error) {
        if (signal.aborted) break;
        failures += 1;
        index = '';
        const pauseMs = Math.min(RETRY_MS * failures * failures, LONGEST_RETRY_MS);
        this.#ports.logger.error('Watch errored', {
          type: definition.parameters.type,
          error: messageOf(error),
          retry: `${pauseMs / 1000}s`,
        });
        await sleep(systemClock, pauseMs, signal).catch(() => undefined);
        continue;
      }
      const isSameIndex = answer.meta.indexText === index;
      index = answer.meta.indexText;
      const text = stringifyJson(answer.value);
      if (text !== lastText) await this.#handle(definition.handler, text, index, signal);
      else if (isSameIndex) await sleep(systemClock, PAUSE_MS, signal).catch(() => undefined);
      lastText = text;
    }
    await client.close();
  }

  async #handle(handler: WatchHandler, json: string, index: string, signal: AbortSignal): Promise<void> {
    try {
      if (handler.kind === 'http') await post(handler, json, index, signal);
      else await this.#runScript(handler, json, index);
    } catch (error) {
      if (!signal.aborted) this.#ports.logger.error('Failed to run watch handler', { handler: nameOf(handler), error: messageOf(error) });
    }
  }

  async #runScript(handler: Extract<WatchHandler, { kind: 'script' }>, json: string, index: string): Promise<void> {
    const { io, logger } = this.#ports;
    let output = '';
    const append = (chunk: string | Uint8Array): void => {
      // Consul keeps the last 4 KiB.
      output = (output + (typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8'))).slice(-4096);
    };
    const quiet: Io = { ...io, stdout: { write: append }, stderr: { write: append }, inheritsProcess: false };
    const child = await startChild(handler.words, quiet, { shell: handler.shell, env: { CONSUL_INDEX: index }, input: `${json}\n` });
    const failure = await child.ended;
    if (failure !== undefined) logger.error('Failed to run watch handler', { handler: nameOf(handler), error: failure });
    logger.debug('watch handler output', { handler: nameOf(handler), output });
  }
}

async function post(handler: Extract<WatchHandler, { kind: 'http' }>, json: string, index: string, signal: AbortSignal): Promise<void> {
  const { url, authorization } = splitCredentials(handler.url);
  const response = await fetch(url, {
    method: handler.method,
    headers: [
      ...(handler.headers.some(([name]) => name.toLowerCase() === 'authorization') ? [] : authorization),
      ...handler.headers.map(([name, value]): [string, string] => [name, value]),
      ['content-type', 'application/json'],
      ['x-consul-index', index],
    ],
    body: json,
    // Its headers may be credentials (security.md 5.3: never across redirects).
    redirect: 'manual',
    signal: AbortSignal.any([signal, AbortSignal.timeout(handler.timeoutMs)]),
  });
  await response.body?.cancel();
  if (!response.ok) throw new Error(`watch handler answered ${response.status}`);
}

/** As Go's client does it: fetch refuses an address with credentials, and says them in its error. */
function splitCredentials(text: string): { readonly url: URL; readonly authorization: readonly [string, string][] } {
  const url = new URL(text);
  if (url.username === '' && url.password === '') return { url, authorization: [] };
  const pair = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  url.username = '';
  url.password = '';
  return { url, authorization: [['authorization', `Basic ${Buffer.from(pair).toString('base64')}`]] };
}

function nameOf(handler: WatchHandler): string {
  return handler.kind === 'http' ? handler.url.replace(/(\/\/[^/?#:]*):[^/?#]*@/, '$1:***@') : handler.words.join(' ');
}

function apiAddress(config: RuntimeConfig): string {
  const [first] = config.httpListen;
  if (first === undefined) throw new Error('watches need the HTTP API: ports.http is off');
  if ('socketPath' in first) return `unix://${first.socketPath}`;
  const host =
    first.host === '0.0.0.0' ? '127.0.0.1' : first.host === '::' ? '[::1]' : first.host.includes(':') ? `[${first.host}]` : first.host;
  return `${host}:${first.port}`;
}
