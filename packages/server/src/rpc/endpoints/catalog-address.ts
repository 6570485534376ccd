import { virtualIpOf } from '../../fsm/catalog/virtual-ips.ts';
import { foldAddress } from '../../state/tables/keys.ts';
import { nodesTable } from '../../state/tables/nodes.ts';
import { servicesTable } from '../../state/tables/services.ts';
import type { ReadEndpoint, ReadEndpoints } from '../types.ts';
import { mayReadInstance, requireAccess } from './shared/acl.ts';

const virtualIp: ReadEndpoint<'Catalog.VirtualIp'> = (reader, { service }, { authorizer }) => {
  requireAccess(authorizer, 'service', service, 'read');
  return virtualIpOf(reader, service) ?? '';
};

/** Nodes go first: an instance often repeats the address of its node (consul-facts N010). */
const addressOwner: ReadEndpoint<'Catalog.AddressOwner'> = (reader, request, context) => {
  const { authorizer } = context;
  const address = foldAddress(request.address);
  for (const { Node: name } of reader.find(nodesTable, 'address', address)) {
    if (authorizer.allows('node', name, 'read')) return { kind: 'node', name };
    context.noteFiltered();
  }
  for (const { Node: node, Service: name } of reader.find(servicesTable, 'address', address)) {
    if (mayReadInstance(authorizer, node, name)) return { kind: 'service', name };
    context.noteFiltered();
  }
  return null;
};

export const catalogAddressReads = {
  'Catalog.VirtualIp': virtualIp,
  'Catalog.AddressOwner': addressOwner,
} satisfies ReadEndpoints;
