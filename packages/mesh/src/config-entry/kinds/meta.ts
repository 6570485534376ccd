import { findMetaProblems, joinProblems, rejected } from '../../problems.ts';

/** @throws LictorError `rejected` when an entry's metadata is over the limits */
export function validateMeta(meta: Readonly<Record<string, string>>): void {
  const problems = findMetaProblems(meta);
  if (problems.length > 0) throw rejected(joinProblems(problems));
}

/** @throws LictorError `rejected` */
export function requireName(name: string): void {
  if (name === '') throw rejected('Name is required');
}

const HTTP_LIKE = ['http', 'http2', 'grpc'];

/** Protocols whose requests can be routed, split and matched. */
export function isHttpLike(protocol: string): boolean {
  return HTTP_LIKE.includes(protocol);
}

const HTTP_METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE'];

export function isHttpMethod(method: string): boolean {
  return HTTP_METHODS.includes(method);
}

const DOMAIN_NAME = /^(?=.{1,254}$)([^.]{1,63}\.)*[^.]{1,63}\.?$/;

/** As lenient as the DNS library behind Consul: labels of 1 to 63 characters. */
export function isDomainName(name: string): boolean {
  return name === '.' || DOMAIN_NAME.test(name);
}
