import { LictorError, type ManualIpsReply } from '@lictor/protocol';
import { isIPv4 } from 'node:net';
import { virtualIpOf } from '../../fsm/catalog/virtual-ips.ts';
import { type AssignManualIpsBody, VIRTUAL_IP_ASSIGN_MANUAL } from '../../fsm/commands/virtual-ip.ts';
import { foldAddress } from '../../state/tables/keys.ts';
import { nodesTable } from '../../state/tables/nodes.ts';
import { servicesTable } from '../../state/tables/services.ts';
import type { ReadEndpoint, ReadEndpoints, WriteEndpoint, WriteEndpoints } from '../types.ts';
import { mayReadInstance, requireAccess } from './shared/acl.ts';

const MAX_MANUAL_IPS = 8;

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

/** For transparent proxies, which take traffic to these addresses for the service's (consul-facts H151). */
const assignManualIps: WriteEndpoint<'Catalog.AssignManualIps'> = async ({ service, addresses }, context) => {
  requireAccess(context.authorizer, 'mesh', '', 'write');
  if (addresses.length > MAX_MANUAL_IPS) {
    throw new LictorError('rejected', `cannot associate more than ${MAX_MANUAL_IPS} manual virtual IPs with the same service`);
  }
  const invalid = addresses.find((address) => !isIPv4(address));
  if (invalid !== undefined) throw new LictorError('rejected', `${JSON.stringify(invalid)} is not a valid IPv4 address`);
  const body: AssignManualIpsBody = { service, addresses: [...new Set(addresses)].sort() };
  const { index, result } = await context.propose<ManualIpsReply>(VIRTUAL_IP_ASSIGN_MANUAL, body);
  return { index, value: result };
};

export const catalogAddressWrites = { 'Catalog.AssignManualIps': assignManualIps } satisfies WriteEndpoints;
