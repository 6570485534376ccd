import { LictorError } from '@lictor/protocol';

const LENGTH = 36;
const DASHES: readonly number[] = [8, 13, 18, 23];

/** @throws LictorError `rejected` with `prefix` and the reason of Consul's UUID parser */
export function assertUuid(text: string, prefix: string): void {
  const reason = uuidProblem(text);
  if (reason !== undefined) throw new LictorError('rejected', prefix + reason);
}

function uuidProblem(text: string): string | undefined {
  if (text.length !== LENGTH) return 'uuid string is wrong length';
  if (DASHES.some((position) => text[position] !== '-')) return 'uuid is improperly formatted';
  const bad = /[^0-9a-fA-F]/.exec(text.replace(/^(.{8})-(.{4})-(.{4})-(.{4})-/, '$1$2$3$4'));
  if (bad === null) return undefined;
  const code = bad[0].codePointAt(0) ?? 0;
  return `encoding/hex: invalid byte: U+${code.toString(16).toUpperCase().padStart(4, '0')} '${bad[0]}'`;
}

/**
 * The check of Consul's index over ids, whose texts clients know.
 * @throws LictorError `code` with `prefix` and the reason
 */
export function lookUpUuid(text: string, code: 'rejected' | 'invalid-argument', prefix: string): void {
  const hyphens = text.split('-').length - 1;
  const digits = text.replaceAll('-', '');
  let reason: string | undefined;
  if (text.length !== LENGTH) reason = `UUID must be ${LENGTH} characters`;
  else if (hyphens > DASHES.length) reason = `UUID should have maximum of ${DASHES.length} "-"; got ${hyphens}`;
  else if (digits.length % 2 !== 0) reason = 'Input (without hyphens) must be even length';
  else if (/[^0-9a-fA-F]/.test(digits)) reason = 'Invalid UUID: encoding/hex: invalid byte';
  if (reason !== undefined) throw new LictorError(code, prefix + reason);
}
