import { decode, intentionPermission } from '@lictor/protocol';
import { describe, expect, it } from 'vitest';
import { canonicaliseRequest, type CanonicalRequest } from '../canonical-request/index.ts';
import { permissionMatcher } from './permission.ts';

type Headers = readonly (readonly [string, string])[];

function request(target: string, headers: Headers = [], method = 'GET'): CanonicalRequest {
  const result = canonicaliseRequest({ method, target, headers });
  if (!result.ok) throw new Error(result.reason);
  return result.request;
}

function matches(action: 'allow' | 'deny', http: Record<string, unknown>, asked: CanonicalRequest): boolean {
  return permissionMatcher(decode(intentionPermission, { Action: action, HTTP: http })).matches(asked);
}

describe('paths', () => {
  it.each([
    [{ PathExact: '/admin' }, '/admin', true],
    [{ PathExact: '/admin' }, '/administrator', false],
    [{ PathPrefix: '/admin' }, '/administrator', true],
    [{ PathPrefix: '/' }, '/', true],
    [{ PathRegex: '/v[0-9]+/.*' }, '/v12/x', true],
    [{ PathRegex: '/v[0-9]' }, '/v12', false],
    [{ PathExact: '/café' }, '/caf%C3%A9', true],
    [{ PathExact: '/caf%c3%a9' }, '/caf%C3%A9', true],
    [{ PathExact: '/a b' }, '/a%20b', true],
    [{ Methods: ['GET', 'HEAD'] }, '/x', true],
    [{ Methods: ['POST'] }, '/x', false],
  ])('%j on %s: %s', (http, target, expected) => {
    expect(matches('allow', http, request(target))).toBe(expected);
    expect(matches('deny', http, request(target))).toBe(expected);
  });

  it('takes a pattern in linear time', () => {
    expect(matches('allow', { PathRegex: '(a+)+b' }, request(`/${'a'.repeat(5000)}`))).toBe(false);
  });

  it('counts no permission that is a JavaScript pattern but not RE2', () => {
    expect(() => matches('deny', { PathRegex: '(?=a)' }, request('/a'))).toThrow();
  });
});

/** A deny rule must catch every spelling that a server may read as the denied path; an allow rule must not be widened by any. */
describe('CVE-2024-10005: paths in other spellings', () => {
  const denied = { PathExact: '/admin' };
  it.each(['/a/../admin', '//admin', '/%61dmin', '/./admin', '/admin;x=1', '/admin.', '/x/%2e%2e/admin', '/admin;a;b', '/../../admin'])(
    'deny /admin catches %s',
    (target) => {
      expect(matches('deny', denied, request(target))).toBe(true);
    },
  );

  it.each(['/public;/../admin', '/public;x'])('allow /public is not reached by %s', (target) => {
    expect(matches('allow', { PathExact: '/public' }, request(target))).toBe(false);
  });

  it.each(['/admin/*', '/*/admin/x', '/admin/*/x', '/%2A/../admin/x', '/admin/%2a'])(
    'a star is a character, no way around deny /admin (Envoy CVE-2025-46821): %s',
    (target) => {
      const caught = ['/admin', '/*/admin'].some((PathPrefix) => matches('deny', { PathPrefix }, request(target)));
      expect(caught).toBe(true);
      expect(matches('allow', { PathExact: '/*' }, request(target))).toBe(false);
    },
  );

  it('still allows parameters where the rule covers them', () => {
    expect(matches('allow', { PathPrefix: '/public' }, request('/public;v=1/x'))).toBe(true);
  });
});

/** Which of several values counts. */
describe('CVE-2024-10006, Envoy CVE-2020-25017, CVE-2021-32777, CVE-2026-26308: header values in other spellings', () => {
  const role = (match: Record<string, unknown>): Record<string, unknown> => ({ Header: [{ Name: 'X-Role', ...match }] });

  it.each<[string, Record<string, unknown>, Headers, boolean, boolean]>([
    ['one value', { Exact: 'admin' }, [['x-role', 'admin']], true, true],
    ['name in another case', { Exact: 'admin' }, [['X-ROLE', 'admin']], true, true],
    ['value in another case', { Exact: 'admin' }, [['x-role', 'Admin']], false, false],
    ['value in another case, ignored', { Exact: 'admin', IgnoreCase: true }, [['x-role', 'Admin']], true, true],
    [
      'two lines',
      { Exact: 'admin' },
      [
        ['x-role', 'user'],
        ['x-role', 'admin'],
      ],
      true,
      false,
    ],
    ['a list on one line', { Exact: 'admin' }, [['x-role', 'user, admin']], true, false],
    [
      'both lines the same',
      { Exact: 'admin' },
      [
        ['x-role', 'admin'],
        ['x-role', 'admin'],
      ],
      true,
      true,
    ],
    ['spaces around', { Exact: 'admin' }, [['x-role', '  admin ']], true, true],
    [
      'prefix',
      { Prefix: 'adm' },
      [
        ['x-role', 'user'],
        ['x-role', 'admin'],
      ],
      true,
      false,
    ],
    ['suffix', { Suffix: 'min' }, [['x-role', 'admin']], true, true],
    ['contains', { Contains: 'dmi' }, [['x-role', 'admin']], true, true],
    [
      'contains across joined lines',
      { Contains: 'user, admin' },
      [
        ['x-role', 'user'],
        ['x-role', 'admin'],
      ],
      true,
      false,
    ],
    ['regex is anchored', { Regex: 'adm' }, [['x-role', 'admin']], false, false],
    ['regex', { Regex: 'a.*n' }, [['x-role', 'admin']], true, true],
    ['present', { Present: true }, [['x-role', '']], true, true],
    ['absent', { Exact: 'admin' }, [], false, false],
    ['not present', { Present: true, Invert: true }, [], true, true],
    ['inverted, holds', { Exact: 'admin', Invert: true }, [['x-role', 'user']], true, true],
    [
      'inverted, one of two lines',
      { Exact: 'admin', Invert: true },
      [
        ['x-role', 'user'],
        ['x-role', 'admin'],
      ],
      true,
      false,
    ],
    ['inverted, absent: deny unless it says so', { Exact: 'admin', Invert: true }, [], true, false],
  ])('%s', (_name, match, headers, denyMatches, allowMatches) => {
    expect(matches('deny', role(match), request('/', headers))).toBe(denyMatches);
    expect(matches('allow', role(match), request('/', headers))).toBe(allowMatches);
  });
});

describe('tokens (CVE-2023-3518: identity and token must both hold)', () => {
  const requirement = { Providers: [{ Name: 'okta', VerifyClaims: [{ Path: ['perms', 'role'], Value: 'admin' }] }] };
  const guarded = (claims?: ReadonlyMap<string, unknown>): boolean => {
    const asked = request('/x');
    return permissionMatcher(decode(intentionPermission, { Action: 'allow', HTTP: { PathPrefix: '/' }, JWT: requirement })).matches({
      ...asked,
      ...(claims && { claims }),
    });
  };

  it('allows nothing without a verified token', () => {
    expect(guarded()).toBe(false);
  });

  it('compares claims by path, in lists too, and only own properties', () => {
    expect(guarded(new Map([['okta', { perms: { role: 'admin' } }]]))).toBe(true);
    expect(guarded(new Map([['okta', { perms: { role: ['user', 'admin'] } }]]))).toBe(true);
    expect(guarded(new Map([['okta', { perms: { role: 'user' } }]]))).toBe(false);
    expect(guarded(new Map([['other', { perms: { role: 'admin' } }]]))).toBe(false);
    expect(guarded(new Map([['okta', Object.create({ perms: { role: 'admin' } })]]))).toBe(false);
  });
});
