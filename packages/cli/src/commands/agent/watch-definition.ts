import { parseDuration } from '@lictor/protocol';
import type { WatchParameters } from '../watch-plan.ts';

/** Who is told of a change: a program, or an HTTP endpoint. */
export type WatchHandler =
  | { readonly kind: 'script'; readonly words: readonly string[]; readonly shell: boolean }
  | {
      readonly kind: 'http';
      readonly url: string;
      readonly method: string;
      readonly timeoutMs: number;
      readonly headers: readonly (readonly [string, string])[];
    };

export interface WatchDefinition {
  readonly parameters: WatchParameters;
  readonly token: string;
  readonly handler: WatchHandler;
}

/** A `watches` block that cannot be run, and why. */
export class WatchError extends Error {
  override readonly name = 'WatchError';
}

const DEFAULT_HTTP_TIMEOUT_MS = 10_000;

/** Reads one entry of `watches` (consul-facts K074). @throws WatchError in Consul's words where it has some */
export function readWatch(entry: Readonly<Record<string, unknown>>): WatchDefinition {
  const type = text(entry, 'type');
  if (type === '') throw new WatchError('Watch type must be specified');
  const tag = entry['tag'];
  return {
    parameters: {
      type,
      key: text(entry, 'key'),
      prefix: text(entry, 'prefix'),
      service: text(entry, 'service'),
      tags: Array.isArray(tag) ? tag.filter((item) => typeof item === 'string') : text(entry, 'tag') === '' ? [] : [text(entry, 'tag')],
      passingOnly: entry['passingonly'] === true,
      state: text(entry, 'state'),
      name: text(entry, 'name'),
      filter: text(entry, 'filter'),
    },
    token: text(entry, 'token'),
    handler: readHandler(entry),
  };
}

function readHandler(entry: Readonly<Record<string, unknown>>): WatchHandler {
  const args = entry['args'];
  const script = text(entry, 'handler');
  if (text(entry, 'handler_type') === 'http') return readHttpHandler(unwrapBlock(entry['http_handler_config']));
  if (args !== undefined && script !== '') throw new WatchError('Only one watch handler allowed');
  if (Array.isArray(args) && args.length > 0 && args.every((item) => typeof item === 'string'))
    return { kind: 'script', words: args, shell: false };
  if (script !== '') return { kind: 'script', words: [script], shell: true };
  throw new WatchError('Watch args must be a list of strings');
}

function readHttpHandler(config: Readonly<Record<string, unknown>>): WatchHandler {
  const url = text(config, 'path');
  if (!/^https?:\/\//.test(url)) throw new WatchError("Requires 'path' to be set, to an http or https URL");
  const timeoutMs = text(config, 'timeout') === '' ? DEFAULT_HTTP_TIMEOUT_MS : parseDuration(text(config, 'timeout'));
  if (timeoutMs === undefined) throw new WatchError(`Failed to parse the timeout: ${JSON.stringify(config['timeout'])}`);
  const headers = Object.entries(unwrapBlock(config['header'])).flatMap(([name, values]) =>
    (Array.isArray(values) ? values : [values]).filter((value) => typeof value === 'string').map((value) => [name, value] as const),
  );
  return { kind: 'http', url, method: text(config, 'method') || 'POST', timeoutMs, headers };
}

function text(entry: Readonly<Record<string, unknown>>, key: string): string {
  const value = entry[key];
  return typeof value === 'string' ? value : '';
}

/** HCL blocks are lists of one map. */
function unwrapBlock(value: unknown): Readonly<Record<string, unknown>> {
  const single: unknown = Array.isArray(value) ? value[0] : value;
  return typeof single === 'object' && single !== null ? (single as Record<string, unknown>) : {};
}
