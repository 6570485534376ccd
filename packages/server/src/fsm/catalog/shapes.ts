import type { HealthCheck, NodeService } from '@lictor/protocol';
import type { NodeFields } from './nodes.ts';

/**
 * What a log entry must look like before it may touch the catalog: a follower applies whatever was committed, by an older or a
 * broken leader too, and must neither throw nor store what readers cannot take.
 */
export function isNodeFields(value: unknown): value is NodeFields {
  return (
    isObject(value) &&
    areNames(value.Node) &&
    areStrings(value.ID, value.Node, value.Address, value.Datacenter) &&
    isStringMapOrNull(value.TaggedAddresses) &&
    isStringMapOrNull(value.Meta)
  );
}

export function isNodeService(value: unknown): value is NodeService {
  return (
    isObject(value) &&
    areNames(value.ID, value.Service) &&
    areStrings(value.Kind, value.Address, value.SocketPath, value.PeerName) &&
    areNumbers(value.Port) &&
    typeof value.EnableTagOverride === 'boolean' &&
    isStringList(value.Tags) &&
    isStringMapOrNull(value.Meta) &&
    (value.TaggedAddresses === null || isObject(value.TaggedAddresses)) &&
    isObject(value.Weights) &&
    isObject(value.Proxy) &&
    typeof value.Proxy.DestinationServiceName === 'string' &&
    isObject(value.Connect) &&
    (value.Ports === undefined || Array.isArray(value.Ports))
  );
}

export function isHealthCheck(value: unknown): value is HealthCheck {
  return (
    isObject(value) &&
    areNames(value.Node, value.CheckID) &&
    areStrings(value.Name, value.Status, value.Notes, value.Output, value.ServiceID, value.ServiceName) &&
    areStrings(value.Type, value.Interval, value.Timeout, value.PeerName) &&
    areNumbers(value.ExposedPort) &&
    isStringList(value.ServiceTags) &&
    isObject(value.Definition)
  );
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Control characters would break composite keys apart. */
export function isName(value: string): boolean {
  for (let position = 0; position < value.length; position++) {
    const code = value.charCodeAt(position);
    if (code < 0x20 || code === 0x7f) return false;
  }
  return true;
}

function areNames(...values: readonly unknown[]): boolean {
  return values.every((value) => typeof value === 'string' && isName(value));
}

function areStrings(...values: readonly unknown[]): boolean {
  return values.every((value) => typeof value === 'string');
}

function areNumbers(...values: readonly unknown[]): boolean {
  return values.every((value) => typeof value === 'number');
}

function isStringList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

function isStringMapOrNull(value: unknown): boolean {
  return value === null || (isObject(value) && areStrings(...Object.values(value)));
}
