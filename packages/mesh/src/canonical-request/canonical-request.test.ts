import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalisePath } from './canonical-path.ts';
import { canonicaliseRequest } from './canonical-request.ts';

function path(raw: string): string {
  const result = canonicalisePath(raw);
  return 'refused' in result ? `refused: ${result.refused}` : result.path;
}

describe('one spelling per path (RFC 3986 6.2.2; CVE-2024-10005)', () => {
  it.each([
    ['/', '/'],
    ['/a/b', '/a/b'],
    ['/a/', '/a/'],
    ['//a//b', '/a/b'],
    ['/a/./b', '/a/b'],
    ['/a/../b', '/b'],
    ['/../../b', '/b'],
    ['/a/b/..', '/a/'],
    ['/%61', '/a'],
    ['/%2e%2e/a', '/a'],
    ['/a%20b', '/a%20b'],
    ['/a b', '/a%20b'],
    ['/%c3%a9', '/%C3%A9'],
    ['/\xc3\xa9', '/%C3%A9'],
    ['/a;v=1/b', '/a;v=1/b'],
    ['/a%252f', '/a%252f'],
    ['/a+b:@!$', '/a+b:@!$'],
    ["/'*", "/'*"],
  ])('%s becomes %s', (raw, expected) => {
    expect(path(raw)).toBe(expected);
  });

  it('forwards what it decided on: canonical form is a fixed point', () => {
    fc.assert(
      fc.property(
        fc.string({
          unit: fc.constantFrom('/', '.', '%', '2', 'e', 'f', '5', 'c', ';', 'a', '\\', '#', '\xc3', '\xa9', '%2e', '%41', ' '),
        }),
        (tail) => {
          const first = canonicalisePath(`/${tail}`);
          if ('refused' in first) return;
          const second = canonicalisePath(first.path);
          expect(second).toEqual(first);
          expect(first.path).not.toMatch(/\/\/|\/\.{1,2}(\/|$)|[#\\\s]|%(2F|5C|00|41)/);
        },
      ),
    );
  });
});

/** Forms that servers read differently. */
describe('paths without one meaning are refused (Envoy CVE-2019-9900, CVE-2019-9901, CVE-2021-29492, CVE-2021-32779, CVE-2026-73551, CVE-2026-73553, CVE-2026-73511)', () => {
  it.each([
    ['/admin%2f', 'encoded slash in path'],
    ['/admin%2F', 'encoded slash in path'],
    ['/a\\b', 'backslash in path'],
    ['/a%5cb', 'backslash in path'],
    ['/a#b', "'#' in path"],
    ['/a%23b', "'#' in path"],
    ['/a%3fb', "encoded '?' in path"],
    ['/a%00', 'control character in path'],
    ['/a\x00', 'control character in path'],
    ['/a%0d%0a', 'control character in path'],
    ['/a%7f', 'control character in path'],
    ['/..;/admin', 'dot segment with parameters'],
    ['/a/..;x/admin', 'dot segment with parameters'],
    ['/.;/admin', 'dot segment with parameters'],
    ['/%2e%2e;/admin', 'dot segment with parameters'],
    ['/a%', 'invalid percent-encoding'],
    ['/a%zz', 'invalid percent-encoding'],
    ['/%ff', 'path is not UTF-8'],
    ['/%c0%af', 'path is not UTF-8'],
    ['/\xff', 'path is not UTF-8'],
    ['/\u20ac', 'path is not a byte string'],
    ['admin', "path doesn't start with '/'"],
    ['', "path doesn't start with '/'"],
  ])('%j: %s', (raw, reason) => {
    expect(path(raw)).toBe(`refused: ${reason}`);
  });

  it('refuses what is too long', () => {
    expect(path(`/${'a'.repeat(20_000)}`)).toBe('refused: path is too long');
  });
});

describe('the short way for plain paths', () => {
  it('agrees with the long way', () => {
    const unit = fc.constantFrom('/', '.', ';', 'a', 'B', '7', '-', "'", '*', '%', '@');
    fc.assert(
      fc.property(fc.string({ unit }), (tail) => {
        const direct = canonicalisePath(`/${tail}`);
        // An escape of a plain character forces the long way to the same path.
        const detour = canonicalisePath(`/x%61/..${tail.startsWith('/') ? '' : '/'}${tail}`);
        if ('refused' in direct || 'refused' in detour) expect('refused' in direct).toBe('refused' in detour);
        else expect(detour).toEqual(direct);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('other readings', () => {
  it.each([
    ['/admin;x=1/y', ['/admin;x=1/y', '/admin/y']],
    ['/admin.', ['/admin.', '/admin']],
    ['/a;/b', ['/a;/b', '/a/b']],
    ['/plain', ['/plain']],
  ])('%s may be read as %j', (raw, readings) => {
    const result = canonicalisePath(raw);
    expect('refused' in result ? [] : result.readings).toEqual(readings);
  });
});

describe('requests', () => {
  const ask = (target: string, method = 'GET', headers: readonly (readonly [string, string])[] = []) =>
    canonicaliseRequest({ method, target, headers });

  it.each([
    ['/a?b=c', '/a', '?b=c'],
    ['/a?', '/a', '?'],
    ['/a?x=/../y', '/a', '?x=/../y'],
    ['http://web.internal/a?b', '/a', '?b'],
    ['http://web.internal', '/', ''],
    ['http://web.internal?b', '/', '?b'],
  ])('%s splits into %s and %s', (target, expected, query) => {
    expect(ask(target)).toMatchObject({ ok: true, request: { path: expected, query } });
  });

  it('keeps header values apart, under one name', () => {
    const result = ask('/', 'get', [
      ['X-A', ' 1 '],
      ['x-a', '2'],
      ['B', 'é'],
    ]);
    expect(result).toMatchObject({ ok: true, request: { method: 'GET' } });
    if (result.ok)
      expect([...result.request.headers]).toEqual([
        ['x-a', ['1', '2']],
        ['b', ['é']],
      ]);
  });

  it('takes * for OPTIONS alone', () => {
    expect(ask('*', 'OPTIONS')).toMatchObject({ ok: true, request: { path: '*' } });
    expect(ask('*')).toMatchObject({ ok: false });
  });

  it.each<[string, string, string, readonly (readonly [string, string])[]]>([
    ['CONNECT', 'a:443', 'CONNECT is not forwarded', []],
    ['GE T', '/', 'invalid method', []],
    ['GET', '/?a#b', 'invalid character in query', []],
    ['GET', '/?a b', 'invalid character in query', []],
    ['GET', '/', 'invalid header name', [['a b', 'x']]],
    ['GET', '/', 'invalid header value', [['a', 'x\u0000y']]],
    ['GET', '/', 'invalid header value', [['a', 'x\r\ny']]],
    ['GET', 'x/y', "path doesn't start with '/'", []],
  ])('%s %j is refused: %s', (method, target, reason, headers) => {
    expect(canonicaliseRequest({ method, target, headers })).toEqual({ ok: false, reason });
  });

  it('never throws', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        fc.string({ unit: 'binary' }),
        fc.array(fc.tuple(fc.string(), fc.string())),
        (method, target, headers) => {
          expect(typeof canonicaliseRequest({ method, target, headers }).ok).toBe('boolean');
        },
      ),
    );
  });
});
