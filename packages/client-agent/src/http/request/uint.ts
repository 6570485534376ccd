import { LictorError } from '@lictor/protocol';

const MAX = 2n ** 64n - 1n;

/**
 * Go's `strconv.ParseUint(text, 10, 64)`.
 * @throws LictorError 500 with Go's text, which is what Consul lets through for `?cas=` and `?flags=`
 */
export function parseUint(text: string): bigint {
  if (!/^\d+$/.test(text)) throw refuse(text, 'invalid syntax');
  if (text.length > 20) throw refuse(text.slice(0, 64), 'value out of range');
  const value = BigInt(text);
  if (value > MAX) throw refuse(text, 'value out of range');
  return value;
}

function refuse(text: string, why: string): LictorError {
  return new LictorError('rejected', `strconv.ParseUint: parsing ${JSON.stringify(text)}: ${why}`);
}
