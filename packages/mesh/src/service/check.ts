import type { CheckDefinition } from '@lictor/protocol';
import { findBadName } from '../problems.ts';

export type CheckType = 'grpc' | 'http' | 'ttl' | 'tcp' | 'udp' | 'alias' | 'docker' | 'script' | 'h2ping' | 'os_service' | 'session' | '';

const REGISTRABLE_STATUSES = ['passing', 'warning', 'critical'];

/** `passing`, `warning` or `critical`. */
export function isValidCheckStatus(status: string): boolean {
  return REGISTRABLE_STATUSES.includes(status);
}

/** What a check does, as its catalog row's Type. */
export function checkType(check: CheckDefinition): CheckType {
  const runs = check.Interval > 0;
  if (check.GRPC !== '' && runs) return 'grpc';
  if (check.HTTP !== '' && runs) return 'http';
  if (check.TTL > 0) return 'ttl';
  if (check.TCP !== '' && runs) return 'tcp';
  if (check.UDP !== '' && runs) return 'udp';
  if (isAlias(check)) return 'alias';
  if (isScript(check) && check.DockerContainerID !== '' && runs) return 'docker';
  if (isScript(check)) return 'script';
  if (check.H2PING !== '' && runs) return 'h2ping';
  if (check.OSService !== '' && runs) return 'os_service';
  return check.SessionName === '' ? '' : 'session';
}

/** True for a definition in which nothing is set: Consul ignores it. */
export function isEmptyCheck(check: CheckDefinition): boolean {
  return Object.values(check).every((value) => {
    if (typeof value === 'object') return Object.keys(value).length === 0;
    return value === '' || value === 0 || value === false || value === undefined;
  });
}

/** What is wrong with a check, in Consul's words; undefined when nothing is. Callers prefix `Invalid check: `. */
export function validateCheck(check: CheckDefinition): string | undefined {
  const needsInterval =
    [check.HTTP, check.TCP, check.UDP, check.GRPC, check.H2PING, check.OSService].some((value) => value !== '') || isScript(check);
  const badName = findBadName(check.CheckID, check.ID, check.Name, check.ServiceID);
  if (badName !== undefined) return badName;
  if (check.Interval > 0 && check.TTL > 0) return 'Interval and TTL cannot both be specified';
  if (needsInterval && check.Interval <= 0) return 'Interval must be > 0 for Script, HTTP, H2PING, TCP, UDP or OSService checks';
  if (needsInterval && isAlias(check)) return 'Interval cannot be set for Alias checks';
  if (isAlias(check) && check.TTL > 0) return 'TTL must be not be set for Alias checks';
  if (!needsInterval && !isAlias(check) && check.SessionName === '' && check.TTL <= 0) return 'TTL must be > 0 for TTL checks';
  if (check.OutputMaxSize < 0) return 'MaxOutputMaxSize must be positive';
  if (check.FailuresBeforeWarning > check.FailuresBeforeCritical)
    return "FailuresBeforeWarning can't be higher than FailuresBeforeCritical";
  return undefined;
}

function isAlias(check: CheckDefinition): boolean {
  return check.AliasNode !== '' || check.AliasService !== '';
}

function isScript(check: CheckDefinition): boolean {
  return check.ScriptArgs.length > 0;
}
