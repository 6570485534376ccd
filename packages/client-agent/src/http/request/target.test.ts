import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isPrintablePath, parseTarget } from './target.ts';

describe('request targets (RFC 9112 section 3.2)', () => {
  it('reads the origin form', () => {
    expect(parseTarget('/v1/kv/a%2Fb?raw')).toEqual({
      path: '/v1/kv/a/b',
      escapedPath: '/v1/kv/a%2Fb',
      routePath: '/v1/kv/a%2Fb',
      rawQuery: 'raw',
    });
  });

  it('reads the absolute form as the same path', () => {
    expect(parseTarget('http://evil.example/v1/agent/self?x')?.path).toBe('/v1/agent/self');
    expect(parseTarget('HTTP://h')?.path).toBe('/');
  });

  it.each(['*', 'h:8500', 'ftp://h/v1', '/v1/kv/%', '/v1/kv/%g0', '/v1/kv/%ff', 'http://h#f'])('refuses %s', (url) => {
    expect(parseTarget(url)).toBeUndefined();
  });

  it('never lets an escaped slash separate segments', () => {
    expect(parseTarget('/v1%2Fagent/self')?.routePath).toBe('/v1%2Fagent/self');
    expect(parseTarget('/v1/%61gent%2fself')?.routePath).toBe('/v1/agent%2Fself');
  });

  it('reads raw bytes above ASCII as UTF-8', () => {
    const latin1 = Buffer.from('/v1/kv/é').toString('latin1');
    expect(parseTarget(latin1)?.path).toBe('/v1/kv/é');
  });

  it('never throws, whatever it is given', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (url) => void parseTarget(`/${url}`)));
  });
});

describe('unprintable paths (consul-facts 2.0)', () => {
  it.each(['/v1/kv/a\u0000', '/v1/kv/\u0007', '/v1/kv/a\nb', '/v1/kv/\u200b', '/v1/kv/\u00a0'])('refuses %j', (path) => {
    expect(isPrintablePath(path)).toBe(false);
  });

  it.each(['/v1/kv/a b', '/v1/kv/é', '/v1/kv/日本', '/v1/kv/~!@#$'])('takes %j', (path) => {
    expect(isPrintablePath(path)).toBe(true);
  });
});
