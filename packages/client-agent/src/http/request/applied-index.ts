import { LictorError } from '@lictor/protocol';
import type { ApiRequest } from './api-request.ts';

/** Ours: on a write's reply the log index at which it was applied, on a read the least index that its answer must have seen. */
export const APPLIED_INDEX_HEADER = 'X-Lictor-Applied-Index';
const HEADER = APPLIED_INDEX_HEADER.toLowerCase();
const PARAMETER = 'applied-index';

/** Which index a read asks for, by header or parameter, the higher where it has both; 0: none. @throws LictorError 400 */
export function parseAppliedIndex(request: ApiRequest): number {
  return Math.max(parse(request.header(HEADER)), parse(request.query.get(PARAMETER)));
}

function parse(text: string): number {
  const index = text === '' ? 0 : Number(text);
  if (/^\d{0,16}$/.test(text) && Number.isSafeInteger(index)) return index;
  throw new LictorError('invalid-argument', 'Invalid applied index');
}
