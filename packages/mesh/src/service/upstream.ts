import { DEFAULT_NAMESPACE, joinHostPort, type Upstream, WILDCARD } from '@lictor/protocol';
import { quote } from '../problems.ts';

export const DEFAULT_BIND_ADDRESS = '127.0.0.1';

/** An upstream with its destination type filled in. */
export function normaliseUpstream(upstream: Upstream): Upstream {
  return upstream.DestinationType === '' ? { ...upstream, DestinationType: 'service' } : upstream;
}

/** Problems of a proxy's upstreams, duplicates of a destination or of a bind address included (consul-facts K027). */
export function findUpstreamProblems(upstreams: readonly Upstream[]): string[] {
  const problems: string[] = [];
  const destinations = new Set<string>();
  const addresses = new Set<string>();
  for (const upstream of upstreams) {
    const problem = findTenancyProblem(upstream) ?? validateUpstream(upstream);
    if (problem !== undefined) {
      problems.push(problem);
      continue;
    }
    const destination = describeDestination(upstream);
    if (destinations.has(destination)) {
      problems.push(`upstreams cannot contain duplicates of ${destination}`);
      continue;
    }
    destinations.add(destination);
    const address = upstreamBindAddress(upstream);
    if (addresses.has(address)) {
      problems.push(
        `upstreams cannot contain duplicates by local bind address and port or unix path; ${quote(address)} is specified twice`,
      );
      continue;
    }
    addresses.add(address);
  }
  return problems;
}

/** What is wrong with one upstream by itself. */
export function validateUpstream(upstream: Upstream): string | undefined {
  const type = upstream.DestinationType;
  if (type !== '' && type !== 'service' && type !== 'prepared_query') return `unknown upstream destination type: ${quote(type)}`;
  if (upstream.DestinationName === '') return 'upstream destination name cannot be empty';
  if (upstream.DestinationName === WILDCARD) return 'upstream destination name cannot be a wildcard';
  if (upstream.DestinationPeer !== '' && upstream.Datacenter !== '') return 'upstream cannot specify both destination peer and datacenter';
  const hasSocket = upstream.LocalBindSocketPath !== '';
  if (upstream.LocalBindPort === 0 && !hasSocket) return 'upstream local bind port or local socket path must be defined and nonzero';
  if (upstream.LocalBindPort !== 0 && hasSocket)
    return 'only one of upstream local bind port or local socket path can be defined and nonzero';
  return undefined;
}

/** `127.0.0.1:9191`, `[::1]:9191`, or the path of a unix socket. */
export function upstreamBindAddress(upstream: Upstream): string {
  if (upstream.LocalBindPort === 0 && upstream.LocalBindAddress === '' && upstream.LocalBindSocketPath !== '')
    return upstream.LocalBindSocketPath;
  return joinHostPort(upstream.LocalBindAddress === '' ? DEFAULT_BIND_ADDRESS : upstream.LocalBindAddress, upstream.LocalBindPort);
}

function findTenancyProblem(upstream: Upstream): string | undefined {
  const isDefaultPartition = upstream.DestinationPartition === '' || upstream.DestinationPartition === DEFAULT_NAMESPACE;
  if (isDefaultPartition) return undefined;
  if (upstream.DestinationPeer !== '') return 'upstreams must target peers in the same partition as the service';
  return upstream.Datacenter === '' ? undefined : 'upstreams cannot target another datacenter in non default partition';
}

function describeDestination(upstream: Upstream): string {
  const fields: readonly (readonly [string, string])[] = [
    ['type', upstream.DestinationType],
    ['name', upstream.DestinationName],
    ['partition', upstream.DestinationPartition],
    ['namespace', upstream.DestinationNamespace],
    ['peer', upstream.DestinationPeer],
    ['datacenter', upstream.Datacenter],
    // Two named ports of one service are two destinations (Consul 2.x).
    ...(upstream.DestinationPort === '' ? [] : [['port', upstream.DestinationPort] as const]),
  ];
  return `[${fields.map(([name, value]) => `${name}=${quote(value)}`).join(', ')}]`;
}
