import type { HealthCheck, NodeService, RegisterCheck, RegisterRequest, RegisterService, ServiceKind } from '@lictor/protocol';
import { NO_PROXY } from '../../../fsm/catalog/rows.ts';

/** The instance that a registration's `Service` describes, complete. */
export function toNodeService(service: RegisterService): NodeService {
  return {
    Kind: service.Kind as ServiceKind,
    ID: service.ID === '' ? service.Service : service.ID,
    Service: service.Service,
    Tags: service.Tags,
    Address: service.Address,
    TaggedAddresses: service.TaggedAddresses,
    Meta: service.Meta,
    // Readers that know no port names see the default port (consul-facts V001).
    Port: service.Port === 0 ? (service.Ports.find((port) => port.Default)?.Port ?? 0) : service.Port,
    SocketPath: service.SocketPath,
    Weights: service.Weights ?? { Passing: 1, Warning: 1 },
    EnableTagOverride: service.EnableTagOverride,
    Proxy: service.Proxy ?? NO_PROXY,
    Connect: { Native: service.Connect?.Native ?? false },
    PeerName: '',
    CreateIndex: service.CreateIndex,
    ModifyIndex: service.ModifyIndex,
    ...(service.Ports.length > 0 ? { Ports: service.Ports } : {}),
    ...(service.Locality === undefined ? {} : { Locality: service.Locality }),
    ...(service.AI === undefined ? {} : { AI: service.AI }),
  };
}

/** Both forms of giving checks, the single one last as Consul appends it. */
export function toHealthChecks(request: RegisterRequest): readonly HealthCheck[] {
  const checks = request.Check === undefined ? request.Checks : [...request.Checks, request.Check];
  return checks.map((check) => toHealthCheck(request.Node, check));
}

function toHealthCheck(node: string, check: RegisterCheck): HealthCheck {
  const definition = setFieldsOf(check.Definition);
  return {
    Node: check.Node === '' ? node : check.Node,
    CheckID: check.CheckID === '' ? check.Name : check.CheckID,
    Name: check.Name,
    // Consul stores any word, and lists it under that state.
    Status: check.Status as HealthCheck['Status'],
    Notes: check.Notes,
    Output: check.Output,
    ServiceID: check.ServiceID,
    ServiceName: check.ServiceName,
    ServiceTags: check.ServiceTags,
    Type: check.Type === '' ? checkType(definition) : check.Type,
    Interval: check.Interval,
    Timeout: check.Timeout,
    ExposedPort: check.ExposedPort,
    Definition: definition,
    PeerName: '',
    CreateIndex: check.CreateIndex,
    ModifyIndex: check.ModifyIndex,
  };
}

/** Fields that the registry of checks has of its own, or that are secrets of the agent. */
const NOT_IN_DEFINITION: ReadonlySet<string> = new Set(['ID', 'CheckID', 'Name', 'Notes', 'ServiceID', 'Status', 'Token']);

function setFieldsOf(definition: RegisterCheck['Definition']): HealthCheck['Definition'] {
  const fields: Record<string, unknown> = {};
  if (definition === undefined) return fields as HealthCheck['Definition'];
  for (const name in definition) {
    const value = definition[name as keyof typeof definition];
    if (!isZero(value) && !NOT_IN_DEFINITION.has(name)) fields[name] = value;
  }
  return fields as HealthCheck['Definition'];
}

function isZero(value: unknown): boolean {
  if (value === '' || value === 0 || value === false || value === undefined || value === null) return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

/** The kind of check, for registrations that only say what it does. */
function checkType(definition: HealthCheck['Definition']): string {
  const repeats = (definition.Interval ?? 0) > 0;
  if (repeats && definition.GRPC !== undefined) return 'grpc';
  if (repeats && definition.HTTP !== undefined) return 'http';
  if ((definition.TTL ?? 0) > 0) return 'ttl';
  if (repeats && definition.TCP !== undefined) return 'tcp';
  if (repeats && definition.UDP !== undefined) return 'udp';
  if (definition.AliasNode !== undefined || definition.AliasService !== undefined) return 'alias';
  const hasArgs = (definition.ScriptArgs?.length ?? 0) > 0;
  if (repeats && hasArgs && definition.DockerContainerID !== undefined) return 'docker';
  if (repeats && hasArgs) return 'script';
  if (repeats && definition.H2PING !== undefined) return 'h2ping';
  if (repeats && definition.OSService !== undefined) return 'os_service';
  return '';
}
