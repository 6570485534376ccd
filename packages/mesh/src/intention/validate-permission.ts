import type { IntentionSourceFields } from './entry-shape.ts';
import { quote, rejected } from '../problems.ts';
import { compileRegex } from '../regex.ts';

type Permission = IntentionSourceFields['Permissions'][number];
type HttpPermission = NonNullable<Permission['HTTP']>;
type HeaderMatch = HttpPermission['Header'][number];

const HTTP_METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE'];

/** @throws LictorError `rejected`, in Consul's words; `where` is `Sources[i].Permissions[j]` */
export function validatePermission(permission: Permission, where: string): void {
  if (permission.Action !== 'allow' && permission.Action !== 'deny') throw rejected(`${where}.Action must be set to 'allow' or 'deny'`);
  const { HTTP: http } = permission;
  const prefix = `${where}.HTTP`;
  if (http === undefined) throw rejected(`${prefix} is required`);
  const pathParts = validatePaths(http, prefix);
  http.Header.forEach((header, index) => validateHeader(header, `${prefix}.Header[${index}]`));
  validateMethods(http.Methods, prefix);
  if (pathParts + http.Header.length + http.Methods.length === 0) throw rejected(`${prefix} should not be empty`);
}

function validatePaths(http: HttpPermission, prefix: string): number {
  for (const field of ['PathExact', 'PathPrefix'] as const) {
    if (http[field] !== '' && !http[field].startsWith('/'))
      throw rejected(`${prefix}.${field} doesn't start with '/': ${quote(http[field])}`);
  }
  const parts = [http.PathExact, http.PathPrefix, http.PathRegex].filter((path) => path !== '').length;
  if (parts > 1) throw rejected(`${prefix} should only contain at most one of PathExact, PathPrefix, or PathRegex`);
  validateRegex(http.PathRegex, `${prefix}.PathRegex`);
  return parts;
}

function validateHeader(header: HeaderMatch, where: string): void {
  if (header.Name === '') throw rejected(`${where} missing required Name field`);
  const tests = [header.Exact, header.Regex, header.Prefix, header.Suffix, header.Contains].filter((value) => value !== '').length;
  if (tests + (header.Present ? 1 : 0) !== 1) {
    throw rejected(`${where} should only contain one of Present, Exact, Prefix, Suffix, Contains, or Regex`);
  }
  if (header.IgnoreCase && (header.Present || header.Regex !== '')) {
    throw rejected(`${where} should set one of Exact, Prefix, Suffix, or Contains when using IgnoreCase`);
  }
  validateRegex(header.Regex, `${where}.Regex`);
}

function validateMethods(methods: readonly string[], prefix: string): void {
  const seen = new Set<string>();
  for (const method of methods) {
    if (!HTTP_METHODS.includes(method)) throw rejected(`${prefix}.Methods contains an invalid method ${quote(method)}`);
    if (seen.has(method)) throw rejected(`${prefix}.Methods contains ${quote(method)} more than once`);
    seen.add(method);
  }
}

/** Consul finds a bad pattern only in the proxy; here it would deny everything, so it is refused at once. */
function validateRegex(pattern: string, where: string): void {
  if (pattern === '') return;
  try {
    compileRegex(pattern);
  } catch (error) {
    throw rejected(`${where} is not a valid regular expression: ${error instanceof Error ? error.message : String(error)}`);
  }
}
