import { validateServiceMeta } from '@lictor/mesh';
import { nodeKey, nodesTable } from '../../state/tables/nodes.ts';
import { meshServiceOf, type ServiceRow, serviceKey, servicesTable } from '../../state/tables/services.ts';
import type { StateTxn } from '../../state/types.ts';
import { CommandFailure } from '../types.ts';
import { adoptChecks, MISSING_NODE, removeCheckGroup } from './checks.ts';

import { makeServiceRow, NO_PROXY, type ServiceFields } from './rows.ts';
import { sameContent, sameValue } from './same-content.ts';
import { assignVirtualIp, releaseVirtualIp } from './virtual-ips.ts';

/** The tagged address under which mesh clients find a service's virtual IP (consul-facts E024). */
export const VIRTUAL_IP_TAG = 'consul-virtual';

/** Creates or changes an instance. Those of the mesh get their service's virtual IP. */
export function ensureService(txn: StateTxn, nodeName: string, service: ServiceFields): ServiceRow | CommandFailure {
  const metaProblem = validateServiceMeta(service.Kind, service.Meta);
  if (metaProblem !== undefined) {
    const message = `Invalid Service Meta for node ${nodeName} and serviceID ${service.ID}: ${metaProblem}`;
    return new CommandFailure('rejected', message);
  }
  const node = txn.get(nodesTable, nodeKey(nodeName));
  if (node === undefined) return new CommandFailure('rejected', MISSING_NODE);
  const addressed = withVirtualIp(txn, service);
  if (addressed instanceof CommandFailure) return addressed;

  const row = makeServiceRow(node.Node, addressed);
  const existing = txn.get(servicesTable, serviceKey(node.Node, service.ID));
  if (existing !== undefined && sameContent(existing, row)) return existing;
  const written = txn.put(servicesTable, row);
  const changesChecks = existing === undefined || existing.Service !== row.Service || !sameValue(existing.Tags, row.Tags);
  if (changesChecks) adoptChecks(txn, written);
  if (existing !== undefined) releaseUnusedVirtualIps(txn, existing);
  return written;
}

function withVirtualIp(txn: StateTxn, service: ServiceFields): ServiceFields | CommandFailure {
  const name = meshServiceOf({ ...service, Proxy: service.Proxy ?? NO_PROXY });
  if (name === '') return service;
  const address = assignVirtualIp(txn, name);
  if (address instanceof CommandFailure) {
    return new CommandFailure(address.code, `failed updating virtual IP: ${address.message}`);
  }
  const virtual = { Address: address, Port: service.Port };
  return { ...service, TaggedAddresses: { ...service.TaggedAddresses, [VIRTUAL_IP_TAG]: virtual } };
}

export function removeService(txn: StateTxn, nodeName: string, serviceId: string): boolean {
  const key = serviceKey(nodeName, serviceId);
  const service = txn.get(servicesTable, key);
  if (service === undefined) return false;
  removeCheckGroup(txn, service);
  txn.remove(servicesTable, key);
  releaseUnusedVirtualIps(txn, service);
  return true;
}

function releaseUnusedVirtualIps(txn: StateTxn, service: ServiceRow): void {
  releaseVirtualIp(txn, service.Service);
  const meshService = meshServiceOf(service);
  if (meshService !== '' && meshService !== service.Service) releaseVirtualIp(txn, meshService);
}
