import {
  type CheckDefinition,
  type ConnectProxyConfig,
  connectProxyConfig,
  decode,
  type NodeService,
  type ServiceDefinition,
} from '@lictor/protocol';
import { isEmptyCheck } from './check.ts';
import { normaliseUpstream } from './upstream.ts';

export interface NormalisedService {
  readonly service: NodeService;
  /** Without ids where the user gave none: `assignCheckIds` gives them. */
  readonly checks: readonly CheckDefinition[];
}

/** A user's definition as the instance that agents keep, every default filled in; its sidecar is left out (see `expandSidecar`). */
export function normaliseService(definition: ServiceDefinition): NormalisedService {
  return { service: toNodeService(definition), checks: collectChecks(definition) };
}

export function collectChecks(definition: ServiceDefinition): CheckDefinition[] {
  const checks = definition.Check === undefined || isEmptyCheck(definition.Check) ? [] : [definition.Check];
  return [...checks, ...definition.Checks];
}

/** `service:<id>` for a service's only check, `service:<id>:<n>` (from 1) for several; given ids are kept (consul-facts K019). */
export function assignCheckIds(service: Pick<NodeService, 'ID' | 'Service'>, checks: readonly CheckDefinition[]): CheckDefinition[] {
  return checks.map((check, index) => {
    const given = check.CheckID === '' ? check.ID : check.CheckID;
    const own = checks.length > 1 ? `service:${service.ID}:${index + 1}` : `service:${service.ID}`;
    const id = given === '' ? own : given;
    return {
      ...check,
      ID: id,
      CheckID: id,
      ServiceID: service.ID,
      Name: check.Name === '' ? `Service '${service.Service}' check` : check.Name,
    };
  });
}

function toNodeService(definition: ServiceDefinition): NodeService {
  const defaultPort = definition.Ports.find((port) => port.Default)?.Port;
  const tagged = definition.TaggedAddresses;
  return {
    Kind: definition.Kind,
    ID: definition.ID === '' ? definition.Name : definition.ID,
    Service: definition.Name,
    Tags: [...definition.Tags],
    Address: definition.Address,
    TaggedAddresses: Object.keys(tagged).length === 0 ? null : tagged,
    Meta: definition.Meta,
    // Readers that know no port names see the default port (consul-facts V001).
    Port: definition.Port === 0 ? (defaultPort ?? 0) : definition.Port,
    ...(definition.Ports.length > 0 && { Ports: definition.Ports }),
    SocketPath: definition.SocketPath,
    Weights: definition.Weights ?? { Passing: 1, Warning: 1 },
    EnableTagOverride: definition.EnableTagOverride,
    Proxy: normaliseProxy(definition.Proxy),
    Connect: { Native: definition.Connect?.Native ?? false },
    ...(definition.Locality !== undefined && { Locality: definition.Locality }),
    ...(definition.AI !== undefined && { AI: definition.AI }),
    PeerName: '',
    CreateIndex: 0,
    ModifyIndex: 0,
  };
}

export function normaliseProxy(proxy: ConnectProxyConfig | undefined): ConnectProxyConfig {
  if (proxy === undefined) return decode(connectProxyConfig, {});
  return { ...proxy, Upstreams: proxy.Upstreams.map(normaliseUpstream) };
}
