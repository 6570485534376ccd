import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatDuration, parseDuration } from '../../packages/protocol/src/index.ts';
import { INT, STRING, STRING_LIST, STRING_MAP } from '../../packages/mesh/src/filter/field-type.ts';
import { compileFilter, FilterError, fields } from '../../packages/mesh/src/filter/index.ts';
import { formatSpiffeId, maybeParseSpiffeId } from '../../packages/pki/src/index.ts';
import { commandTable } from '../../packages/cli/src/commands/table.ts';
import { run } from '../../packages/cli/src/testing/run.ts';
import { mutatedText } from './support/mutate.ts';

/** Texts of a small language, made from good ones. Beside the code: random texts and words. */

describe('a Go duration with parts changed', () => {
  const CORPUS = ['1h30m', '250ms', '1.5s', '-10s', '0', '+1h', '72h', '100ns', '3µs', '.5s', '1.s', '9223372036854775807ns'];
  const TOKENS = [
    '-',
    '+',
    '.',
    'h',
    'm',
    's',
    'ms',
    'us',
    'µs',
    'μs',
    'ns',
    '0',
    '9',
    'e',
    ' ',
    '_',
    '999999999999999999999',
    '\u0000',
    '٣',
  ];

  const LARGEST_NS = 2n ** 63n - 2n ** 12n;

  it('is what Go says it is', () => {
    let read = 0;
    fc.assert(
      fc.property(fc.oneof(mutatedText(CORPUS, TOKENS), fc.constantFrom(...CORPUS)), (text) => {
        const durationMs = parseDuration(text);
        const expected = goDurationNs(text);
        // Where an int64 ends, a double is not exact.
        if (expected !== undefined && (expected > LARGEST_NS || expected < -LARGEST_NS)) return;
        if (expected === undefined || durationMs === undefined) {
          expect(durationMs).toBe(expected);
          return;
        }
        read += 1;
        // Inside Lictor every term of a duration keeps its fraction of a nanosecond, and a double loses what it cannot hold.
        expect(Math.abs(durationMs * 1e6 - Number(expected))).toBeLessThanOrEqual(text.length + Math.abs(Number(expected)) * 2 ** -50);
        expect(parseDuration(formatDuration(durationMs))).toBeDefined();
      }),
      { numRuns: 1000 },
    );
    expect(read).toBeGreaterThan(100);
  });

  /** Go's `time.ParseDuration`, by its documentation and in whole numbers. */
  function goDurationNs(text: string): bigint | undefined {
    const UNITS: Readonly<Record<string, bigint>> = {
      ns: 1n,
      us: 1000n,
      µs: 1000n,
      μs: 1000n,
      ms: 10n ** 6n,
      s: 10n ** 9n,
      m: 60n * 10n ** 9n,
      h: 3600n * 10n ** 9n,
    };
    const MAX = 2n ** 63n;
    const isNegative = text.startsWith('-');
    let rest = /^[-+]/.test(text) ? text.slice(1) : text;
    if (rest === '0') return 0n;
    if (rest === '') return undefined;
    let total = 0n;
    while (rest !== '') {
      const term = /^([0-9]*)(?:\.([0-9]*))?([^.0-9]+)/.exec(rest);
      const unit = UNITS[term?.[3] ?? ''];
      const [whole = '', fraction = ''] = [term?.[1], term?.[2]];
      if (term === null || unit === undefined || whole + fraction === '') return undefined;
      total +=
        BigInt(whole === '' ? '0' : whole) * unit + (fraction === '' ? 0n : (BigInt(fraction) * unit) / 10n ** BigInt(fraction.length));
      if (total > MAX) return total < MAX + 2n ** 12n && rest === term[0] ? total : undefined;
      rest = rest.slice(term[0].length);
    }
    return isNegative ? -total : total;
  }
});

describe('a filter with words changed', () => {
  const CORPUS = [
    'Service.Port == 80 and not (Node == "a" or Meta.b != `c`)',
    'Tags contains "x" or "y" in Tags',
    'Meta is not empty and Meta["a.b"] matches "^v[0-9]+$"',
    'Tags is empty or Weights.Passing == 1',
    'Node not matches "x" and "a" not in Tags',
  ];
  const TOKENS = [
    'and',
    'or',
    'not',
    'in',
    'is',
    'empty',
    'matches',
    'contains',
    '==',
    '!=',
    '(',
    ')',
    '"',
    '`',
    '\\',
    '.',
    '[',
    ']',
    '"(a+)+$"',
    '"["',
    '1e9',
    '-1',
    ' ',
    '\u0000',
    'é',
  ];
  const TYPE = fields({
    Node: STRING,
    Tags: STRING_LIST,
    Meta: STRING_MAP,
    Service: fields({ Port: INT }),
    Weights: fields({ Passing: INT }),
  });
  const ITEMS = [
    { Node: 'a', Tags: ['x', 'y'], Meta: { 'a.b': 'v1', b: 'c' }, Service: { Port: 80 }, Weights: { Passing: 1 } },
    { Node: '', Tags: null, Meta: null, Service: { Port: 0 }, Weights: { Passing: 0 } },
  ];

  it('is a filter that answers, or a FilterError', () => {
    let compiled = 0;
    fc.assert(
      fc.property(fc.oneof(mutatedText(CORPUS, TOKENS), fc.constantFrom(...CORPUS)), (text) => {
        try {
          const filter = compileFilter(text, TYPE);
          compiled += 1;
          for (const item of ITEMS) expect(typeof filter(item)).toBe('boolean');
        } catch (error) {
          expect(error).toBeInstanceOf(FilterError);
          expect((error as FilterError).message).not.toBe('');
        }
      }),
      { numRuns: 1000 },
    );
    expect(compiled).toBeGreaterThan(10);
  });
});

describe('a SPIFFE id with parts changed', () => {
  const CORPUS = [
    'spiffe://11111111-2222-3333-4444-555555555555.consul/ns/default/dc/dc1/svc/web',
    'spiffe://a.consul/ap/default/ns/default/dc/dc1/svc/web',
    'spiffe://a.consul/agent/client/dc/dc1/id/n1',
    'spiffe://a.consul/agent/server/dc/dc1',
    'spiffe://a.consul/gateway/mesh/dc/dc1',
    'spiffe://a.consul',
  ];
  const TOKENS = ['/', '//', '.', '..', '%2f', '%', '?', '#', '@', ':', 'A', 'spiffe://', 'ns', 'svc', 'ap', '\u0000', 'é', ' ', '\n'];

  it('is read as it is written, or by nobody', () => {
    let read = 0;
    fc.assert(
      fc.property(mutatedText(CORPUS, TOKENS), (uri) => {
        const id = maybeParseSpiffeId(uri);
        if (id === undefined) return;
        read += 1;
        expect(maybeParseSpiffeId(formatSpiffeId(id))).toEqual(id);
        const { protocol, host, pathname, search, hash, username, port } = new URL(uri);
        expect([protocol, search, hash, username, port]).toEqual(['spiffe:', '', '', '', '']);
        expect(host).toBe(id.trustDomain);
        expect(`spiffe://${host}${pathname === '/' ? '' : pathname}`).toBe(uri);
      }),
      { numRuns: 2000 },
    );
    expect(read).toBeGreaterThan(10);
  });
});

describe('a command line with words changed', () => {
  /** They run on until they are told to end, or change this machine. */
  const UNTRIED = /^(?:agent|monitor|watch|lock|connect proxy|connect envoy|completion|tls)/;
  const COMMANDS = Object.keys(commandTable).filter((name) => !UNTRIED.test(name));
  const WORDS = [
    '-',
    '--',
    '---',
    '-=',
    '-x=',
    '-help',
    '-h',
    '-http-addr',
    '-http-addr=127.0.0.1:1',
    '-token=x',
    '-format=json',
    '-format',
    'a',
    '',
    '-stale',
    '-stale=maybe',
    '-filter=((',
    '-cas',
    '-modify-index=x',
    '-recurse',
    '-wait=1',
    '/nowhere',
    '@/nowhere',
    '\u0000',
    'é\u2028',
    '-wan',
    '-detailed',
    'x'.repeat(300),
  ];
  const EXIT_CODES = [0, 1, 2, 127];

  it('ends with words and an exit code, whatever they are', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...COMMANDS), fc.array(fc.constantFrom(...WORDS), { maxLength: 5 }), async (command, words) => {
        const { exitCode, stdout, stderr } = await run([...command.split(' '), ...words], { agent: '127.0.0.1:1' });
        expect(EXIT_CODES).toContain(exitCode);
        expect(stdout + stderr).not.toMatch(/TypeError|RangeError|Cannot read|is not a function|\bundefined\b|NaN|\[object/);
        if (exitCode !== 0) expect(stdout + stderr).not.toBe('');
      }),
      { numRuns: 300 },
    );
  });
});
