import { decode, DecodeError, LictorError } from '@lictor/protocol';
import type { schema } from '@lictor/protocol';
import type { ApiRequest } from './api-request.ts';
import { readBody } from './body.ts';
import { goJsonError } from './go-json-error.ts';

export const JSON_BODY_MAX_BYTES = 2 * 1024 * 1024;
/** Hash flooding and stack depth (Node CVE-2025-27209, CVE-2026-21717): far above what any definition needs. */
const MAX_KEYS = 100_000;
const MAX_DEPTH = 128;

export interface JsonBodyOptions {
  readonly limitBytes?: number;
  /** Go's name of the whole value's type, as its error texts show it: `structs.RegisterRequest`. */
  readonly goType?: string;
  /** Go's name of the struct before a field: `.Alias` in `Go struct field .Alias.Port`. */
  readonly goStruct?: string;
  /** Keys that Consul knows and this schema has no use for. */
  readonly ignoredKeys?: readonly string[];
  /** Accept keys that no field has; Consul's decoder refuses them. */
  readonly allowUnknownKeys?: boolean;
  /** Turns Go's text into the endpoint's error; 400 `Request decode failed: …` by default. */
  readonly fail?: (reason: string) => LictorError;
}

/** Reads and decodes a JSON body whatever its Content-Type says (fastify CVE-2025-32442: a type must never skip validation). */
export async function readJsonBody<T>(request: ApiRequest, as: schema.Schema<T>, options: JsonBodyOptions = {}): Promise<T> {
  const fail = options.fail ?? decodeFailed;
  return decodeJson(await readJson(request, options), as, options, fail);
}

/** @throws what `options.fail` makes of a malformed body */
export async function readJson(request: ApiRequest, options: JsonBodyOptions = {}): Promise<unknown> {
  return parseJson(await readJsonBytes(request, options), options.fail ?? decodeFailed);
}

/** The body as it came, within the limit. */
export function readJsonBytes(request: ApiRequest, { limitBytes = JSON_BODY_MAX_BYTES }: JsonBodyOptions = {}): Promise<Buffer> {
  return readBody(request.message, limitBytes, () => `Request body too large, max size: ${limitBytes} bytes.`);
}

export function parseJson(body: Buffer, fail: (reason: string) => LictorError): unknown {
  const text = body.toString('utf8');
  const excess = findExcess(text);
  if (excess !== undefined) throw fail(excess);
  const value = parse(text, fail);
  // Escapes can spell it too. Nothing named so can be replicated: the log's codec refuses it (CVE-2023-52079). Ours alone, so 400 everywhere.
  if (/__proto__|\\u/.test(text) && hasProtoKey(value)) throw decodeFailed('the key "__proto__" is refused');
  return value;
}

function parse(text: string, fail: (reason: string) => LictorError): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw fail(goJsonError(text));
  }
}

/** Recurses no deeper than MAX_DEPTH, which the text was checked for. */
function hasProtoKey(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Object.hasOwn(value, '__proto__') || Object.values(value).some(hasProtoKey);
}

export function decodeJson<T>(value: unknown, as: schema.Schema<T>, options: JsonBodyOptions, fail: (reason: string) => LictorError): T {
  try {
    return decode(as, value, options.allowUnknownKeys ? {} : { unknownKeys: 'error' });
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    const unknownKey = error.unknownKeys.map(lastSegment).find((key) => !options.ignoredKeys?.includes(key));
    if (unknownKey !== undefined) throw fail(`json: unknown field ${JSON.stringify(unknownKey)}`);
    if (error.unknownKeys.length > 0) return decodeJson(value, as, { ...options, allowUnknownKeys: true }, fail);
    throw fail(inGoWords(error, options));
  }
}

export function decodeFailed(reason: string): LictorError {
  return new LictorError('invalid-argument', `Request decode failed: ${reason}`);
}

function inGoWords(error: DecodeError, options: JsonBodyOptions): string {
  if (error.path === '' && options.goType !== undefined)
    return error.message.replace(/ of type struct$/, () => ` of type ${options.goType}`);
  return error.message.replace('Go struct field .', () => `Go struct field ${options.goStruct ?? ''}.`);
}

function lastSegment(path: string): string {
  return path.slice(path.lastIndexOf('.') + 1);
}

/** One pass over the text, strings skipped: says what is too much, before anything is built from it. */
function findExcess(text: string): string | undefined {
  let depth = 0;
  let keys = 0;
  for (let position = 0; position < text.length; position++) {
    const code = text.charCodeAt(position);
    if (code === 0x22) position = endOfString(text, position);
    else if (code === 0x7b || code === 0x5b) {
      if (++depth > MAX_DEPTH) return 'exceeded max depth';
    } else if (code === 0x7d || code === 0x5d) depth--;
    else if (code === 0x3a && ++keys > MAX_KEYS) return 'too many keys';
  }
  return undefined;
}

function endOfString(text: string, start: number): number {
  for (let position = start + 1; position < text.length; position++) {
    const code = text.charCodeAt(position);
    if (code === 0x5c) position++;
    else if (code === 0x22) return position;
  }
  return text.length;
}
