import type { NodeService } from '@lictor/protocol';
import type { Table } from '../types.ts';
import { compositeKey, foldAddress, foldName } from './keys.ts';

/** An instance and the name of the node that it runs on. It is a `NodeService`, so that queries hand out rows as they are. */
export interface ServiceRow extends NodeService {
  readonly Node: string;
}

/** Instances by (node, service id). */
export const servicesTable: Table<ServiceRow> = {
  name: 'services',
  key: (row) => serviceKey(row.Node, row.ID),
  indexes: {
    service: (row) => [foldName(row.Service)],
    connect: connectNames,
    address: (row) => (row.Address === '' ? [] : [foldAddress(row.Address)]),
  },
};

export function serviceKey(node: string, serviceId: string): string {
  return compositeKey(node, serviceId);
}

/** The service that the instance stands for in the mesh: a proxy for its destination, a native instance for itself. */
export function meshServiceOf(service: Pick<NodeService, 'Kind' | 'Service' | 'Proxy' | 'Connect'>): string {
  if (service.Kind === 'connect-proxy') return service.Proxy.DestinationServiceName;
  return service.Connect.Native ? service.Service : '';
}

function connectNames(row: ServiceRow): readonly string[] {
  const name = meshServiceOf(row);
  return name === '' ? [] : [foldName(name)];
}
