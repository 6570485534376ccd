import { SpiffeIdError } from '../errors.ts';
import { checkPathSegment, checkTrustDomain, MAX_ID_BYTES } from './rules.ts';
import { DEFAULT_PARTITION, type SpiffeId } from './types.ts';

/**
 * The URI of an ID; `parseSpiffeId` gives the same ID back. The default partition is left out, as Consul's open edition does.
 * @throws SpiffeIdError when a part cannot stand in a SPIFFE ID, such as a service name with a space
 */
export function formatSpiffeId(id: SpiffeId): string {
  checkTrustDomain(id.trustDomain);
  const segments = pathSegments(id);
  for (const segment of segments) checkPathSegment(segment);
  const uri = ['spiffe:/', id.trustDomain, ...segments].join('/');
  if (uri.length > MAX_ID_BYTES) throw new SpiffeIdError(`SPIFFE ID is over ${MAX_ID_BYTES} bytes`);
  return uri;
}

export function sameSpiffeId(a: SpiffeId, b: SpiffeId): boolean {
  return a.kind === b.kind && a.trustDomain === b.trustDomain && pathSegments(a).join('/') === pathSegments(b).join('/');
}

/** `<cluster id>.consul`, lower-case (consul-facts P009). */
export function trustDomainOf(clusterId: string): string {
  return `${clusterId}.consul`.toLowerCase();
}

function pathSegments(id: SpiffeId): readonly string[] {
  switch (id.kind) {
    case 'service':
      return [...partitionSegments(id.partition), 'ns', id.namespace, 'dc', id.datacenter, 'svc', id.service];
    case 'agent':
      return [...partitionSegments(id.partition), 'agent', 'client', 'dc', id.datacenter, 'id', id.node];
    case 'mesh-gateway':
      return [...partitionSegments(id.partition), 'gateway', 'mesh', 'dc', id.datacenter];
    case 'server':
      return ['agent', 'server', 'dc', id.datacenter];
    case 'signing':
      return [];
  }
}

function partitionSegments(partition: string): readonly string[] {
  return partition === DEFAULT_PARTITION ? [] : ['ap', partition];
}
