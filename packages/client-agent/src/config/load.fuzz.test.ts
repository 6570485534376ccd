import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConfigError } from './config-error.ts';
import { ALL_OPTIONS } from './options/index.ts';
import { loadTexts } from './testing/environment.ts';

const SEED_TEXT = `{"service": {"name": "web", "port": 80, "check": {"http": "http://x", "interval": "1s"},
 "connect": {"sidecar_service": {"proxy": {"upstreams": [{"destination_name": "a", "local_bind_port": 1}]}}}},
 "ports": {"http": 1}, "acl": {"tokens": {"agent": "t"}}, "node_meta": {"a": "b"}, "retry_join": ["x"], "telemetry": {"prefix_filter": ["+a"]}}`;

function loads(name: string, content: string): boolean {
  try {
    loadTexts({ [name]: content });
    return true;
  } catch (error) {
    // Anything else is a bug that a user would see as a stack trace.
    if (!(error instanceof ConfigError)) throw new Error(`not a ConfigError for ${JSON.stringify(content)}`, { cause: error });
    expect(error.message).not.toBe('');
    return false;
  }
}

describe('broken configuration files get clear errors only (security.md section 6)', () => {
  it('survives any text', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), fc.constantFrom('/a.hcl', '/a.json'), (content, name) => void loads(name, content)),
      { numRuns: 2_000 },
    );
  });

  it('survives a good file with a part cut, doubled or replaced', () => {
    const position = fc.integer({ min: 0, max: SEED_TEXT.length });
    const mutation = fc.tuple(position, position, fc.constantFrom('', '{', ']', '"', ',', 'null', '-1', '[[]]', '__proto__', ' 0'));
    fc.assert(
      fc.property(mutation, ([from, to, insert]) => {
        const [start, end] = from < to ? [from, to] : [to, from];
        loads('/a.json', SEED_TEXT.slice(0, start) + insert + SEED_TEXT.slice(end));
      }),
      { numRuns: 3_000 },
    );
  });

  it('survives any JSON value under any option, and keeps Object.prototype as it was', () => {
    const key = fc.constantFrom(...ALL_OPTIONS.map((option) => option.key));
    fc.assert(
      fc.property(key, fc.jsonValue({ maxDepth: 3 }), (path, value) => {
        const nested = path.split('.').reduceRight<unknown>((inner, step) => ({ [step]: inner }), value);
        loads('/a.json', JSON.stringify(nested));
      }),
      { numRuns: 3_000 },
    );
    expect(Object.keys(Object.prototype)).toEqual([]);
  });

  it('loads the seed itself, so that the mutations start from something good', () => {
    expect(loads('/a.json', SEED_TEXT)).toBe(true);
  });
});
