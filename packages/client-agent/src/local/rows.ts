import { isIPv4, isIPv6 } from 'node:net';
import { checkType } from '@lictor/mesh';
import { type CheckDefinition, type CheckStatus, formatDuration, type HealthCheck, type NodeService } from '@lictor/protocol';

const FAMILY_TAGS = { ipv4: ['lan_ipv4', 'wan_ipv4'], ipv6: ['lan_ipv6', 'wan_ipv6'] } as const;

/** A service's own IP address also stands under the tags of its family, where the registration says nothing else. */
export function withFamilyAddresses(service: NodeService): NodeService {
  const tags = isIPv4(service.Address) ? FAMILY_TAGS.ipv4 : isIPv6(service.Address) ? FAMILY_TAGS.ipv6 : [];
  const own = { Address: service.Address, Port: service.Port };
  const missing = tags.filter((tag) => service.TaggedAddresses?.[tag] === undefined);
  if (missing.length === 0) return service;
  return { ...service, TaggedAddresses: { ...service.TaggedAddresses, ...Object.fromEntries(missing.map((tag) => [tag, own])) } };
}

/** Where a check's row comes from: alone over the API (durations always written) or with a service (zero left empty), as Consul differs. */
export type RowOrigin = 'check' | 'service';

/** A new check's row; what an earlier one of the same id had found is kept. */
export function createCheckRow(
  nodeName: string,
  definition: CheckDefinition,
  service: NodeService | undefined,
  previous: HealthCheck | undefined,
  origin: RowOrigin,
): HealthCheck {
  const duration = (ms: number): string => (ms === 0 && origin === 'service' ? '' : formatDuration(ms));
  const given: CheckStatus = isStatus(definition.Status) ? definition.Status : 'critical';
  return {
    ...emptyCheckRow(nodeName, definition.CheckID, service),
    Name: definition.Name,
    Status: previous?.Status ?? given,
    Output: previous?.Output ?? '',
    Notes: definition.Notes,
    Type: checkType(definition),
    Interval: duration(definition.Interval),
    Timeout: duration(definition.Timeout),
  };
}

/** The critical row that maintenance mode is (consul-facts O011). */
export function createMaintenanceRow(nodeName: string, service: NodeService | undefined, reason: string): HealthCheck {
  const isNode = service === undefined;
  const standard = isNode
    ? 'Maintenance mode is enabled for this node, but no reason was provided. This is a default message.'
    : 'Maintenance mode is enabled for this service, but no reason was provided. This is a default message.';
  return {
    ...emptyCheckRow(nodeName, isNode ? NODE_MAINTENANCE_ID : serviceMaintenanceId(service.ID), service),
    Name: isNode ? 'Node Maintenance Mode' : 'Service Maintenance Mode',
    Notes: reason === '' ? standard : reason,
    Status: 'critical',
    Type: 'maintenance',
  };
}

export const NODE_MAINTENANCE_ID = '_node_maintenance';

export function serviceMaintenanceId(serviceId: string): string {
  return `_service_maintenance:${serviceId}`;
}

function emptyCheckRow(nodeName: string, checkId: string, service: NodeService | undefined): HealthCheck {
  return {
    Node: nodeName,
    CheckID: checkId,
    Name: '',
    Status: 'critical',
    Notes: '',
    Output: '',
    ServiceID: service?.ID ?? '',
    ServiceName: service?.Service ?? '',
    ServiceTags: service?.Tags ?? [],
    Type: '',
    Interval: '',
    Timeout: '',
    ExposedPort: 0,
    Definition: {},
    PeerName: '',
    CreateIndex: 0,
    ModifyIndex: 0,
  };
}

function isStatus(text: string): text is 'passing' | 'warning' | 'critical' {
  return text === 'passing' || text === 'warning' || text === 'critical';
}
