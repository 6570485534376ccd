import type { Usage } from '@lictor/protocol';
import { foldName } from '../state/tables/keys.ts';
import { nodesTable } from '../state/tables/nodes.ts';
import { servicesTable } from '../state/tables/services.ts';
import type { StateReader } from '../state/types.ts';

const NATIVE = 'connect-native';
/** In the order of Go's JSON. */
const MESH_KINDS = ['api-gateway', NATIVE, 'connect-proxy', 'ingress-gateway', 'mesh-gateway', 'terminating-gateway'] as const;
const CONSUL_SERVICE = 'consul';

/** What the catalog holds, in numbers. */
export function countUsage(reader: StateReader): Usage {
  const connect: Record<string, number> = Object.fromEntries(MESH_KINDS.map((kind) => [kind, 0]));
  const names = new Set<string>();
  let instances = 0;
  let billable = 0;
  for (const { Service, Kind, Connect } of reader.scan(servicesTable)) {
    instances++;
    names.add(foldName(Service));
    const counted = Connect.Native ? NATIVE : Kind;
    if (counted in connect) connect[counted] = (connect[counted] ?? 0) + 1;
    // Consul counts what an application runs, not what the mesh adds.
    if (Kind === '' && Service !== CONSUL_SERVICE) billable++;
  }
  return {
    Nodes: reader.count(nodesTable),
    Services: names.size,
    ServiceInstances: instances,
    ConnectServiceInstances: connect,
    BillableServiceInstances: billable,
  };
}
