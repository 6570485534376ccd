import {
  decode,
  type IntentionHttpPermission,
  type IntentionJwtRequirement,
  type IntentionPermission,
  intentionPermission,
} from '@lictor/protocol';
import { spellRulePath } from '../canonical-request/canonical-path.ts';
import type { CanonicalRequest } from '../canonical-request/index.ts';
import { compileRegex } from '../regex.ts';
import type { Verdict } from './decision.ts';
import { compileHeaderMatch, type HeaderMatcher } from './header-matcher.ts';

export interface PermissionMatcher {
  readonly action: Verdict;
  matches(request: CanonicalRequest): boolean;
}

type PathMatcher = (request: CanonicalRequest, quantifier: 'any' | 'all') => boolean;

const compiled = new WeakMap<IntentionPermission, PermissionMatcher>();

/**
 * The test of one L7 permission. What denies matches when any reading of the request does, what allows only when all do, so a doubtful
 * request is never better off than a plain one. Matchers are kept per permission object, which is never changed in place.
 * @throws Error for a permission that cannot be evaluated
 */
export function permissionMatcher(permission: IntentionPermission): PermissionMatcher {
  const known = compiled.get(permission);
  if (known !== undefined) return known;
  // JSON leaves out empty fields: decoding fills them in, whoever built the object.
  const matcher = compilePermission(decode(intentionPermission, permission));
  compiled.set(permission, matcher);
  return matcher;
}

function compilePermission(permission: IntentionPermission): PermissionMatcher {
  if (permission.Action !== 'allow' && permission.Action !== 'deny')
    throw new Error(`unknown permission action ${JSON.stringify(permission.Action)}`);
  const action = permission.Action;
  const quantifier = action === 'deny' ? 'any' : 'all';
  const http = permission.HTTP;
  const path = compilePath(http);
  const headers: HeaderMatcher[] = (http?.Header ?? []).map(compileHeaderMatch);
  const methods = new Set((http?.Methods ?? []).map((method) => method.toUpperCase()));
  return {
    action,
    matches: (request) =>
      (methods.size === 0 || methods.has(request.method)) &&
      path(request, quantifier) &&
      headers.every((header) => header(request.headers, quantifier)) &&
      (permission.JWT === undefined || satisfiesJwt(permission.JWT, request)),
  };
}

function compilePath(http: IntentionHttpPermission | undefined): PathMatcher {
  if (http === undefined) return () => true;
  if (http.PathExact !== '') {
    const exact = spellRulePath(http.PathExact);
    return (request, quantifier) => test(request.pathReadings, quantifier, (path) => path === exact);
  }
  if (http.PathPrefix !== '') {
    const prefix = spellRulePath(http.PathPrefix);
    return (request, quantifier) => test(request.pathReadings, quantifier, (path) => path.startsWith(prefix));
  }
  if (http.PathRegex !== '') {
    const regex = compileRegex(http.PathRegex);
    return (request, quantifier) => {
      if (quantifier === 'all') return request.pathReadings.every((path) => regex.matchesWhole(path));
      return request.pathReadings.some((path) => regex.matchesWhole(path) || regex.matchesWhole(decodeURIComponent(path)));
    };
  }
  return () => true;
}

function test(readings: readonly string[], quantifier: 'any' | 'all', matches: (path: string) => boolean): boolean {
  return quantifier === 'any' ? readings.some(matches) : readings.every(matches);
}

/** One provider with all its claims is enough; a request without verified token satisfies nothing (CVE-2023-3518: both identity and token must hold). */
export function satisfiesJwt(requirement: IntentionJwtRequirement, request: CanonicalRequest): boolean {
  return requirement.Providers.some((provider) => {
    const payload = request.claims?.get(provider.Name);
    return payload !== undefined && provider.VerifyClaims.every((claim) => claimHolds(payload, claim.Path, claim.Value));
  });
}

function claimHolds(payload: unknown, path: readonly string[], expected: string): boolean {
  let current: unknown = payload;
  for (const step of path) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, step)) return false;
    current = (current as Record<string, unknown>)[step];
  }
  return Array.isArray(current) ? current.includes(expected) : current === expected;
}
