import type { ApiRequest } from './api-request.ts';
import { badRequest } from './read-options.ts';

/** Namespaces and partitions are Enterprise: Consul's open edition refuses them in words that clients know. */
export function refuseNamespace(request: ApiRequest): void {
  if (request.header('x-consul-namespace') !== '')
    throw badRequest('Invalid header: "X-Consul-Namespace" - Namespaces are a Consul Enterprise feature');
  if (request.query.get('ns') !== '') throw badRequest('Invalid query parameter: "ns" - Namespaces are a Consul Enterprise feature');
  refusePartition(request);
}

export function refusePartition(request: ApiRequest): void {
  if (request.header('x-consul-partition') !== '')
    throw badRequest('Invalid header: "X-Consul-Partition" - Partitions are a Consul Enterprise feature');
  if (request.query.get('partition') !== '')
    throw badRequest('Invalid query parameter: "partition" - Partitions are a Consul Enterprise feature');
}
