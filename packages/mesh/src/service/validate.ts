import { type ExposePath, type NodeService, type ServiceDefinition, type ServiceKind, type ServicePort, WILDCARD } from '@lictor/protocol';
import { quote } from '../problems.ts';
import { findUpstreamProblems } from './upstream.ts';

const GATEWAYS: readonly ServiceKind[] = ['mesh-gateway', 'terminating-gateway', 'ingress-gateway', 'api-gateway'];
const EXPOSE_PROTOCOLS = ['', 'http', 'http2', 'grpc'];

/** What a definition nests below `connect`, where it matters for validation. */
export interface NestedSidecar {
  readonly sidecar?: ServiceDefinition;
}

/** Every problem of an instance that the catalog would refuse, in Consul's words; `joinProblems` prints them. */
export function findServiceProblems(service: NodeService, nested: NestedSidecar = {}): string[] {
  const problems: string[] = [];
  if (service.Kind === 'connect-proxy' && service.Port === 0 && service.SocketPath === '') {
    problems.push(`Port or SocketPath must be set for a ${service.Kind}`);
  }
  return [...problems, ...findAgentServiceProblems(service, nested)];
}

/** The same without the port rule: a sidecar's port is given by the agent later. */
export function findAgentServiceProblems(service: NodeService, nested: NestedSidecar = {}): string[] {
  const problems = findPortProblems(service.Ports ?? []);
  if (service.Kind === 'connect-proxy') problems.push(...findProxyProblems(service));
  if (GATEWAYS.includes(service.Kind)) problems.push(...findGatewayProblems(service, nested));
  if (nested.sidecar !== undefined) {
    if (nested.sidecar.ID !== '') problems.push('A SidecarService cannot specify an ID as this is managed by the agent');
    if (nested.sidecar.Connect?.SidecarService !== undefined) problems.push('A SidecarService cannot have a nested SidecarService');
  }
  if (service.Connect.Native && service.Port === 0 && service.SocketPath === '') {
    problems.push('Port or SocketPath must be set for a Connect native service.');
  }
  return problems;
}

function findProxyProblems(service: NodeService): string[] {
  const problems: string[] = [];
  const destination = service.Proxy.DestinationServiceName;
  if (destination.trim() === '') problems.push('Proxy.DestinationServiceName must be non-empty for Connect proxy services');
  if (destination === WILDCARD) problems.push('Proxy.DestinationServiceName must not be a wildcard for Connect proxy services');
  if (service.Connect.Native) problems.push('A Proxy cannot also be Connect Native, only typical services');
  problems.push(...findUpstreamProblems(service.Proxy.Upstreams), ...findExposeProblems(service.Proxy.Expose.Paths));
  return problems;
}

function findExposeProblems(paths: readonly ExposePath[]): string[] {
  const problems: string[] = [];
  const listeners = new Set<number>();
  for (const path of paths) {
    if (path.Path === '') problems.push('expose.paths: empty path exposed');
    if (listeners.has(path.ListenerPort)) problems.push('expose.paths: duplicate listener ports exposed');
    listeners.add(path.ListenerPort);
    if (path.ListenerPort <= 0 || path.ListenerPort > 65_535) problems.push(`expose.paths: invalid listener port: ${path.ListenerPort}`);
    const protocol = path.Protocol.toLowerCase();
    if (!EXPOSE_PROTOCOLS.includes(protocol)) {
      problems.push(`protocol '${protocol}' not supported for path: ${path.Path}, must be in: [http http2 grpc]`);
    }
  }
  return problems;
}

function findGatewayProblems(service: NodeService, nested: NestedSidecar): string[] {
  const { Kind: kind, Proxy: proxy } = service;
  const problems: string[] = [];
  if (service.Port === 0 && kind !== 'ingress-gateway' && kind !== 'api-gateway') problems.push(`Port must be non-zero for a ${kind}`);
  if (nested.sidecar !== undefined) problems.push(`A ${kind} cannot have a sidecar service defined`);
  const forbidden: readonly (readonly [string, boolean])[] = [
    ['DestinationServiceName', proxy.DestinationServiceName !== ''],
    ['DestinationServiceID', proxy.DestinationServiceID !== ''],
    ['LocalServiceAddress', proxy.LocalServiceAddress !== ''],
    ['LocalServicePort', proxy.LocalServicePort !== 0],
    ['LocalServiceSocketPath', proxy.LocalServiceSocketPath !== ''],
    ['Upstreams', proxy.Upstreams.length > 0],
  ];
  for (const [field, isSet] of forbidden) if (isSet) problems.push(`The Proxy.${field} configuration is invalid for a ${kind}`);
  return problems;
}

/** Multi-port rules (consul-facts V001); the client library of Consul 2.x has no wording of its own for them. */
export function findPortProblems(ports: readonly ServicePort[]): string[] {
  if (ports.length === 0) return [];
  const problems: string[] = [];
  const names = new Set<string>();
  for (const port of ports) {
    if (port.Name === '') problems.push('Ports.Name cannot be empty');
    else if (names.has(port.Name)) problems.push(`Ports.Name ${quote(port.Name)} must be unique`);
    names.add(port.Name);
    if (port.Port <= 0 || port.Port > 65_535) problems.push(`Ports.Port must be between 1 and 65535, got ${port.Port}`);
  }
  const defaults = ports.filter((port) => port.Default).length;
  if (defaults !== 1) problems.push(`Ports must have exactly one default port, got ${defaults}`);
  return problems;
}
