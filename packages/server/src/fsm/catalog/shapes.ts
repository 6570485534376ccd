import {
  type ConnectProxyConfig,
  checkDefinition,
  connectProxyConfig,
  DecodeError,
  decode,
  type HealthCheck,
  type schema,
} from '@lictor/protocol';
import type { NodeFields } from './nodes.ts';
import { NO_PROXY, type ServiceFields } from './rows.ts';
import { sameValue } from './same-content.ts';

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

export function isServiceFields(value: unknown): value is ServiceFields {
  return (
    isObject(value) &&
    areNames(value.ID, value.Service) &&
    areStrings(value.Kind, value.Address, value.SocketPath, value.PeerName) &&
    areNumbers(value.Port) &&
    typeof value.EnableTagOverride === 'boolean' &&
    isStringList(value.Tags) &&
    isStringMapOrNull(value.Meta) &&
    (value.TaggedAddresses === null || areServiceAddresses(value.TaggedAddresses)) &&
    isObject(value.Weights) &&
    areNumbers(value.Weights.Passing, value.Weights.Warning) &&
    (value.Proxy === undefined || isProxy(value.Proxy)) &&
    isObject(value.Connect) &&
    typeof value.Connect.Native === 'boolean' &&
    (value.Ports === undefined || arePorts(value.Ports))
  );
}

function areServiceAddresses(value: unknown): boolean {
  if (!isObject(value)) return false;
  return Object.values(value).every((address) => isObject(address) && areStrings(address.Address) && areNumbers(address.Port));
}

function arePorts(value: unknown): boolean {
  return Array.isArray(value) && value.every((port) => isObject(port) && areStrings(port.Name) && areNumbers(port.Port));
}

/** Most instances are no proxies, and comparing is cheaper than decoding. */
function isProxy(value: unknown): value is ConnectProxyConfig {
  if (!isObject(value)) return false;
  return sameValue(value, NO_PROXY) || (typeof value.DestinationServiceName === 'string' && decodes(connectProxyConfig, value));
}

/** Whether a complete value has the schema's form: decoding must find it and leave it as it is. */
function decodes(form: schema.Schema<unknown>, value: Readonly<Record<string, unknown>>): boolean {
  try {
    return sameValue(decode(form, value), value);
  } catch (thrown) {
    if (thrown instanceof DecodeError) return false;
    throw thrown;
  }
}

export function isHealthCheck(value: unknown): value is HealthCheck {
  return (
    isObject(value) &&
    areNames(value.Node, value.CheckID) &&
    areStrings(value.Name, value.Status, value.Notes, value.Output, value.ServiceID, value.ServiceName) &&
    areStrings(value.Type, value.Interval, value.Timeout, value.PeerName) &&
    areNumbers(value.ExposedPort) &&
    isStringList(value.ServiceTags) &&
    isObject(value.Definition) &&
    isDefinition(value.Definition)
  );
}

/** Only set fields are there, so each is looked at by itself. */
function isDefinition(definition: Readonly<Record<string, unknown>>): boolean {
  return Object.entries(definition).every(([name, value]) => CHECK_FIELDS.get(name)?.(value) === true);
}

const CHECK_FIELDS: ReadonlyMap<string, (value: unknown) => boolean> = fieldTests();

function fieldTests(): ReadonlyMap<string, (value: unknown) => boolean> {
  const { ID: _id, CheckID: _checkId, ...defaults } = decode(checkDefinition, { H2PingUseTLS: true });
  const testOf = (zero: unknown): ((value: unknown) => boolean) => {
    if (Array.isArray(zero)) return isStringList;
    if (typeof zero === 'object') return (value) => isObject(value) && Object.values(value).every(isStringList);
    return (value) => typeof value === typeof zero;
  };
  return new Map(Object.entries(defaults).map(([name, zero]) => [name, testOf(zero)]));
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
