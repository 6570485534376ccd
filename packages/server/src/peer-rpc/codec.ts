import { type CallOptions, ERROR_CODES, type ErrorCode, LictorError, type QueryOptions, Secret } from '@lictor/protocol';
import { checkMsgpack } from '../fsm/codec-limits.ts';
import { Body } from './body.ts';
import { encodeSteps, isHeavy } from './encode-steps.ts';
import { MAX_VALUES, VIEWED_BYTES } from './limits.ts';
import { packr, viewingPackr } from './msgpack.ts';
import { garbage } from './record.ts';
import { runAtOnce } from './slices.ts';

export interface DecodedRequest {
  readonly method: string;
  readonly request: unknown;
  /** Without a signal: that is the stream's to give. */
  readonly options: CallOptions;
}

/** The contract's longest has 32 characters. */
const MAX_METHOD_LENGTH = 63;
const REQUEST_HEAD = 0x95;
/** Of a text of up to 31 bytes, its length added; a longer one's length follows. */
const SHORT_TEXT = 0xa0;
const MAX_SHORT_TEXT = 31;
const TEXT_8 = 0xd9;
const CODES: ReadonlySet<string> = new Set(ERROR_CODES);

/** A list of five, the method first, so that `methodOf` can tell from a first part what comes. */
export function encodeRequest(method: string, request: unknown, { token, datacenter, query }: CallOptions): Uint8Array | Body {
  if (method.length > MAX_METHOD_LENGTH) throw new LictorError('invalid-argument', `unknown RPC method: ${method}`);
  const rest = [token === undefined ? null : token.reveal(), datacenter ?? '', query ?? null];
  if (!isHeavy(request)) return packr.pack([method, request, ...rest]);
  const pieces = runAtOnce(encodeSteps(request, Infinity));
  return new Body([Buffer.of(REQUEST_HEAD), packr.pack(method), ...pieces, ...rest.map((each) => packr.pack(each))]);
}

/** Of a request, or of its first part; undefined when it is none. */
export function methodOf(body: Uint8Array): string | undefined {
  const isLong = body[1] === TEXT_8;
  const start = isLong ? 3 : 2;
  const length = isLong ? (body[2] ?? 0) : (body[1] ?? 0) - SHORT_TEXT;
  const most = isLong ? MAX_METHOD_LENGTH : MAX_SHORT_TEXT;
  if (body[0] !== REQUEST_HEAD || length < 0 || length > most || body.length < start + length) return undefined;
  return String.fromCharCode(...body.subarray(start, start + length));
}

/** @throws LictorError `invalid-argument` */
export function decodeRequest(body: Uint8Array): DecodedRequest {
  return toRequest(decodeValue(body));
}

/** @throws LictorError `invalid-argument` */
export function toRequest(decoded: unknown): DecodedRequest {
  const [method, request, token, datacenter, query] = toList(decoded, 5);
  if (typeof method !== 'string' || typeof datacenter !== 'string') throw garbage('a request without a method');
  if (token !== null && typeof token !== 'string') throw garbage('a token that is no text');
  return { method, request, options: { datacenter, ...withToken(token), ...decodeQuery(query) } };
}

/** In one go: of what is not heavy. */
export function encodeValue(value: unknown): Uint8Array {
  return packr.pack(value);
}

/**
 * In one go: of what is not long.
 * @throws LictorError `invalid-argument`
 */
export function decodeValue(body: Uint8Array): unknown {
  const fault = checkMsgpack(body, MAX_VALUES);
  if (fault !== undefined) throw garbage(fault);
  return (body.length < VIEWED_BYTES ? packr : viewingPackr).unpack(body) as unknown;
}

export function encodeError({ code, message }: LictorError): Uint8Array {
  return packr.pack([code, message]);
}

/** @throws LictorError `invalid-argument` when it is none */
export function decodeError(body: Uint8Array): LictorError {
  const [code, message] = toList(decodeValue(body), 2);
  if (typeof code !== 'string' || typeof message !== 'string') throw garbage('an error without a code');
  // A newer peer may know codes that this one does not.
  return new LictorError(isCode(code) ? code : 'internal', message);
}

function toList(value: unknown, length: number): readonly unknown[] {
  if (!Array.isArray(value) || value.length !== length) throw garbage('no list');
  return value;
}

function withToken(token: string | null): { readonly token?: Secret } {
  return token === null ? {} : { token: new Secret(token) };
}

function decodeQuery(value: unknown): { readonly query?: QueryOptions } {
  if (value === null) return {};
  if (typeof value !== 'object') throw garbage('a query that is no object');
  const { consistency, maxStaleMs, minIndex, maxWaitMs, appliedIndex } = value as Record<string, unknown>;
  const query: { -readonly [K in keyof QueryOptions]: QueryOptions[K] } = {};
  if (consistency === 'default' || consistency === 'consistent' || consistency === 'stale') query.consistency = consistency;
  else if (consistency !== undefined) throw garbage('an unknown consistency');
  if (maxStaleMs !== undefined) query.maxStaleMs = amount(maxStaleMs);
  if (minIndex !== undefined) query.minIndex = amount(minIndex);
  if (maxWaitMs !== undefined) query.maxWaitMs = amount(maxWaitMs);
  if (appliedIndex !== undefined) query.appliedIndex = amount(appliedIndex);
  return { query };
}

function amount(value: unknown): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw garbage('a query with no number');
  return value;
}

function isCode(code: string): code is ErrorCode {
  return CODES.has(code);
}
