import { afterEach, describe, expect, it, vi } from 'vitest';
import { decodeFailed, parseJson } from './json-body.ts';

/** Bodies whose cost is out of proportion to their size (Node CVE-2025-27209, CVE-2026-21717): what is counted is work, not time. */
const MAX_KEYS = 100_000;
const LENGTH = 32_768;

afterEach(() => vi.restoreAllMocks());

function refusal(text: string): string {
  try {
    parseJson(Buffer.from(text), decodeFailed);
    return '';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const object = (keys: number, key: (index: number) => string): string =>
  `{${Array.from({ length: keys }, (_, index) => `"${key(index)}":1`).join(',')}}`;

describe('JSON that floods a hash table (CVE-2025-27209, CVE-2026-21717)', () => {
  it.each<[string, (index: number) => string]>([
    ['names', (index) => `k${index}`],
    ['array indexes, which V8 hashes without its seed', (index) => String(index * 2 ** 11)],
    ['one name again and again', () => 'same'],
    ['names in escapes', (index) => `\\u0061${index}`],
  ])('of %s is refused beyond 100,000 keys before anything is built from it', (_name, key) => {
    expect(refusal(object(MAX_KEYS, key))).toBe('');
    const parse = vi.spyOn(JSON, 'parse');
    expect(refusal(object(MAX_KEYS + 1, key))).toBe('Request decode failed: too many keys');
    expect(parse).not.toHaveBeenCalled();
  });

  it('in many small objects counts the same', () => {
    const parse = vi.spyOn(JSON, 'parse');
    expect(refusal(`[${Array.from({ length: MAX_KEYS / 2 + 1 }, () => '{"a":1,"b":2}').join(',')}]`)).toBe(
      'Request decode failed: too many keys',
    );
    expect(parse).not.toHaveBeenCalled();
  });

  it('is read once from left to right, strings skipped, whatever it holds', () => {
    for (const filler of ['"', '\\', '{', '[', ':', '":', '\\"', '{"a":', '[[', '"a":{']) {
      const text = filler.repeat(Math.floor(LENGTH / filler.length));
      const reads = vi.spyOn(String.prototype, 'charCodeAt');
      refusal(text);
      // Each character is looked at once by the count, and a bounded number of times for the error's text.
      expect(reads.mock.calls.length).toBeLessThan(4 * text.length);
      vi.restoreAllMocks();
    }
  });

  it('cannot hide depth or keys inside strings, nor invent them there', () => {
    expect(refusal(JSON.stringify({ a: '{'.repeat(5_000) + ':'.repeat(MAX_KEYS + 1) }))).toBe('');
    expect(refusal(`{"a":"\\"","b":${'['.repeat(129)}${']'.repeat(129)}}`)).toBe('Request decode failed: exceeded max depth');
  });
});
