import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EMPTY_REPLY } from '../reply/reply.ts';
import { acl, type Route } from './route.ts';
import { cleanPath, Router } from './router.ts';

const PATHS = ['/v1/kv/', '/v1/config', '/v1/config/', '/v1/connect/intentions', '/v1/connect/intentions/', '/v1/connect/intentions/exact'];
const routes: Route[] = PATHS.map((path) => ({ method: 'GET', path, acl: acl.none, handle: () => EMPTY_REPLY }));
const router = new Router(routes);

/** Every registered path, the longest that fits. */
function naiveFind(path: string): string | undefined {
  const fitting = PATHS.filter((known) => known === path || (known.endsWith('/') && path.startsWith(known)));
  return fitting.toSorted((a, b) => b.length - a.length)[0];
}

describe('routing as net/http ServeMux does', () => {
  it.each([
    ['/v1/config', '/v1/config'],
    ['/v1/config/', '/v1/config/'],
    ['/v1/config/a/b', '/v1/config/'],
    ['/v1/kv', undefined],
    ['/v1/connect/intentions/exact', '/v1/connect/intentions/exact'],
    ['/v1/connect/intentions/exacty', '/v1/connect/intentions/'],
    ['/v1%2Fkv/foo', undefined],
    ['/V1/kv/foo', undefined],
  ])('%s', (path, expected) => {
    expect(router.find(path)?.path).toBe(expected);
  });

  it('agrees with trying every registered path', () => {
    const path = fc
      .array(fc.constantFrom('v1', 'kv', 'config', 'connect', 'intentions', 'exact', '', 'x'), { maxLength: 8 })
      .map((parts) => `/${parts.join('/')}`);
    fc.assert(
      fc.property(path, (text) => {
        expect(router.find(text)?.path).toBe(naiveFind(text));
      }),
    );
  });

  it('looks at no more than the depth of its prefixes, however many slashes come', () => {
    expect(router.find('/'.repeat(60_000))).toBeUndefined();
  });

  it('refuses two routes for one method of a path', () => {
    const [first] = routes;
    expect(() => new Router(first === undefined ? [] : [first, first])).toThrow('two routes');
  });

  it.each([
    ['/v1//kv/a', '/v1/kv/a'],
    ['/v1/./kv', '/v1/kv'],
    ['/v1/kv/../agent/', '/v1/agent/'],
    ['/../../x', '/x'],
    ['//', '/'],
    ['/v1/kv/a..b/', '/v1/kv/a..b/'],
  ])('cleans %s to %s', (path, cleaned) => {
    expect(cleanPath(path)).toBe(cleaned);
  });
});
