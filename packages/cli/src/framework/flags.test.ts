import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { booleanFlag, durationFlag, integerFlag, listFlag, mapFlag, stringFlag, uint64Flag } from './flag-types.ts';
import { parseFlags } from './flags.ts';

const FLAGS = {
  dev: booleanFlag(''),
  node: stringFlag('', 'default'),
  tag: listFlag(''),
  meta: mapFlag(''),
  port: integerFlag(''),
  flags: uint64Flag(''),
  wait: durationFlag(''),
};

function parse(...argv: string[]): { readonly values: Record<string, unknown>; readonly args: readonly string[] } {
  const parsed = parseFlags(FLAGS, argv);
  if (parsed.kind !== 'parsed') throw new Error(parsed.kind === 'error' ? parsed.message : 'help');
  return parsed;
}

function fail(...argv: string[]): string {
  const parsed = parseFlags(FLAGS, argv);
  return parsed.kind === 'error' ? parsed.message : parsed.kind;
}

describe("Go's flag syntax (package flag)", () => {
  it('takes one dash or two, and values behind = or as the next argument', () => {
    expect(parse('-node', 'a').values.node).toBe('a');
    expect(parse('--node=a').values.node).toBe('a');
    expect(parse('-node=').values.node).toBe('');
    expect(parse('-node', '-dev').values).toMatchObject({ node: '-dev', dev: false });
  });

  it('gives a boolean its value only behind =', () => {
    expect(parse('-dev', 'false')).toMatchObject({ values: { dev: true }, args: ['false'] });
    expect(parse('-dev=false').values.dev).toBe(false);
    expect(parse('-dev=T').values.dev).toBe(true);
  });

  it('stops at the first argument that is no flag, and behind --', () => {
    expect(parse('-dev', 'x', '-node=a')).toMatchObject({ values: { node: 'default' }, args: ['x', '-node=a'] });
    expect(parse('-dev', '--', '-node=a').args).toEqual(['-node=a']);
    expect(parse('-', '-dev').args).toEqual(['-', '-dev']);
  });

  it('collects repeated flags, and lets the last of the others win', () => {
    expect(parse('-tag=a', '-tag', 'b', '-meta=k=v=w', '-meta', 'l=', '-node=a', '-node=b').values).toMatchObject({
      tag: ['a', 'b'],
      meta: { k: 'v=w', l: '' },
      node: 'b',
    });
  });

  it('reads numbers with base prefixes and underscores', () => {
    expect(parse('-port=0x1f').values.port).toBe(31);
    expect(parse('-port=017').values.port).toBe(15);
    expect(parse('-port=1_000').values.port).toBe(1000);
    expect(parse('-port=-3').values.port).toBe(-3);
    expect(parse('-flags=18446744073709551615').values.flags).toBe(2n ** 64n - 1n);
    expect(parse('-wait=1m30s').values.wait).toBe(90_000);
  });

  it('fails in the words of Go', () => {
    expect(fail('-bogus')).toBe('flag provided but not defined: -bogus');
    expect(fail('--bogus=1')).toBe('flag provided but not defined: -bogus');
    expect(fail('---x')).toBe('bad flag syntax: ---x');
    expect(fail('-=x')).toBe('bad flag syntax: -=x');
    expect(fail('-node')).toBe('flag needs an argument: -node');
    expect(fail('-dev=maybe')).toBe('invalid boolean value "maybe" for -dev: parse error');
    expect(fail('-port=x')).toBe('invalid value "x" for flag -port: parse error');
    expect(fail('-flags=-1')).toBe('invalid value "-1" for flag -flags: parse error');
    expect(fail('-flags=18446744073709551616')).toBe('invalid value "18446744073709551616" for flag -flags: value out of range');
    expect(fail('-wait=5')).toBe('invalid value "5" for flag -wait: parse error');
    expect(fail('-h')).toBe('help');
  });

  it('takes names of Object.prototype for what they are: unknown', () => {
    expect(fail('-constructor')).toBe('flag provided but not defined: -constructor');
    expect(fail('-__proto__=x')).toBe('flag provided but not defined: -__proto__');
    expect(Object.getPrototypeOf(parse('-meta=__proto__=x').values.meta)).toBe(null);
  });

  it('loses no argument, whatever they are', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), (argv) => {
        const parsed = parseFlags(FLAGS, ['-dev', '--', ...argv]);
        expect(parsed).toMatchObject({ kind: 'parsed', args: argv });
        expect(['parsed', 'help', 'error']).toContain(parseFlags(FLAGS, argv).kind);
      }),
    );
  });
});
