import type { Usage } from '@lictor/protocol';
import type { Consensus } from '../../consensus/port.ts';
import { foldName } from '../../state/tables/keys.ts';
import { nodesTable } from '../../state/tables/nodes.ts';
import { servicesTable } from '../../state/tables/services.ts';
import type { LiveEndpoint, LiveEndpoints, ReadEndpoint, ReadEndpoints } from '../types.ts';
import { requireAccess } from './shared/acl.ts';

const GATEWAYS_AND_PROXIES = ['api-gateway', 'connect-proxy', 'ingress-gateway', 'mesh-gateway', 'terminating-gateway'] as const;
const CONSUL_SERVICE = 'consul';

export function createOperatorLive(consensus: Consensus) {
  const raftConfiguration: LiveEndpoint<'Operator.RaftGetConfiguration'> = async (_request, { authorizer }) => {
    requireAccess(authorizer, 'operator', '', 'read');
    return { index: 1, value: consensus.configuration() };
  };
  return { 'Operator.RaftGetConfiguration': raftConfiguration } satisfies LiveEndpoints;
}

const usage: ReadEndpoint<'Operator.Usage'> = (reader, _request, context): Usage => {
  requireAccess(context.authorizer, 'operator', '', 'read');
  const connect: Record<string, number> = { 'connect-native': 0 };
  for (const kind of GATEWAYS_AND_PROXIES) connect[kind] = 0;
  const names = new Set<string>();
  let instances = 0;
  let billable = 0;
  for (const service of reader.scan(servicesTable)) {
    instances++;
    names.add(foldName(service.Service));
    if (service.Connect.Native) connect['connect-native'] = (connect['connect-native'] ?? 0) + 1;
    if (service.Kind !== '') connect[service.Kind] = (connect[service.Kind] ?? 0) + 1;
    // Consul counts what an application runs, not what the mesh adds.
    if (service.Kind === '' && service.Service !== CONSUL_SERVICE) billable++;
  }
  return {
    Nodes: reader.count(nodesTable),
    Services: names.size,
    ServiceInstances: instances,
    ConnectServiceInstances: connect,
    BillableServiceInstances: billable,
  };
};

export const operatorReads = { 'Operator.Usage': usage } satisfies ReadEndpoints;
