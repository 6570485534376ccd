import { validateWeights } from '@lictor/mesh';
import type { HealthCheck, Node, NodeService } from '@lictor/protocol';
import type { CheckGroup } from '../../state/tables/checks.ts';
import type { ServiceRow } from '../../state/tables/services.ts';
import { sameValue } from './same-content.ts';

/**
 * Rows are built here and nowhere else, with all fields in one order (one hidden class a table) and with what most rows have in
 * common shared, so that 20,000 instances fit in memory.
 */
const NO_STRINGS: readonly string[] = Object.freeze([]);
const EVEN_WEIGHTS: NodeService['Weights'] = Object.freeze({ Passing: 1, Warning: 1 });
const NOT_NATIVE: NodeService['Connect'] = Object.freeze({ Native: false });
const NATIVE: NodeService['Connect'] = Object.freeze({ Native: true });
const NO_DEFINITION: HealthCheck['Definition'] = Object.freeze({});

/** The proxy part of an instance that is no proxy. */
export const NO_PROXY: NodeService['Proxy'] = Object.freeze({
  DestinationServiceName: '',
  DestinationServiceID: '',
  LocalServiceAddress: '',
  LocalServicePort: 0,
  LocalServiceSocketPath: '',
  Mode: '',
  Config: null,
  Upstreams: [],
  MeshGateway: { Mode: '' },
  Expose: { Checks: false, Paths: [] },
  TransparentProxy: { OutboundListenerPort: 0, DialedDirectly: false },
  MutualTLSMode: '',
});

export function makeNodeRow(node: Omit<Node, 'CreateIndex' | 'ModifyIndex'>): Node {
  return {
    ID: node.ID,
    Node: node.Node,
    Address: node.Address,
    Datacenter: node.Datacenter,
    TaggedAddresses: node.TaggedAddresses,
    Meta: node.Meta,
    CreateIndex: 0,
    ModifyIndex: 0,
  };
}

/** An instance as commands carry it: without `Proxy` it is no proxy. */
export type ServiceFields = Omit<NodeService, 'Proxy' | 'CreateIndex' | 'ModifyIndex'> & { readonly Proxy?: NodeService['Proxy'] };

/** `nodeName` is the node row's own string: thousands of instances then share it. */
export function makeServiceRow(nodeName: string, service: ServiceFields): ServiceRow {
  const { Proxy: proxy } = service;
  const isDefaultProxy = proxy === undefined || (service.Kind === '' && sameValue(proxy, NO_PROXY));
  const row: ServiceRow = {
    Node: nodeName,
    Kind: service.Kind,
    ID: service.ID,
    Service: service.Service === service.ID ? service.ID : service.Service,
    Tags: service.Tags.length === 0 ? NO_STRINGS : service.Tags,
    Address: service.Address,
    TaggedAddresses: service.TaggedAddresses,
    Meta: service.Meta,
    Port: service.Port,
    SocketPath: service.SocketPath,
    Weights: usableWeights(service.Weights),
    EnableTagOverride: service.EnableTagOverride,
    Proxy: isDefaultProxy ? NO_PROXY : proxy,
    Connect: service.Connect.Native ? NATIVE : NOT_NATIVE,
    PeerName: service.PeerName,
    CreateIndex: 0,
    ModifyIndex: 0,
  };
  return withOptionalFields(row, service);
}

/** Clients that know no weights send zeros: Consul takes all that it cannot use for even weights. */
function usableWeights(weights: NodeService['Weights']): NodeService['Weights'] {
  const isUsable = validateWeights(weights) === undefined && !sameValue(weights, EVEN_WEIGHTS);
  return isUsable ? weights : EVEN_WEIGHTS;
}

/** These are rare, and a field that is always there costs every row. */
function withOptionalFields(row: ServiceRow, service: ServiceFields): ServiceRow {
  const { Ports, Locality, AI, LocallyRegisteredAsSidecar } = service;
  const hasPorts = Ports !== undefined && Ports.length > 0;
  if (!hasPorts && Locality === undefined && AI === undefined && LocallyRegisteredAsSidecar !== true) return row;
  return {
    ...row,
    ...(hasPorts ? { Ports } : {}),
    ...(Locality === undefined ? {} : { Locality }),
    ...(AI === undefined ? {} : { AI }),
    ...(LocallyRegisteredAsSidecar === true ? { LocallyRegisteredAsSidecar } : {}),
  };
}

/** Decoding makes a new string for every occurrence; these words are in every check. */
const CHECK_WORDS = [
  'passing',
  'warning',
  'critical',
  'tcp',
  'http',
  'ttl',
  'alias',
  'grpc',
  'script',
  'udp',
  'h2ping',
  'docker',
  'os_service',
];
const SHARED_WORDS: ReadonlyMap<string, string> = new Map(CHECK_WORDS.map((word) => [word, word]));

function shared<Word extends string>(word: Word): Word {
  return (SHARED_WORDS.get(word) as Word | undefined) ?? word;
}

/** `service` is the instance that the check is about, or undefined for a node's check. */
export function makeCheckRow(nodeName: string, check: HealthCheck, service: ServiceRow | undefined): HealthCheck {
  return {
    Node: nodeName,
    CheckID: check.CheckID,
    Name: check.Name,
    Status: shared(check.Status === ('' as HealthCheck['Status']) ? 'critical' : check.Status),
    Notes: check.Notes,
    Output: check.Output,
    ServiceID: service?.ID ?? '',
    ServiceName: service?.Service ?? check.ServiceName,
    ServiceTags: service?.Tags ?? (check.ServiceTags.length === 0 ? NO_STRINGS : check.ServiceTags),
    Type: shared(check.Type),
    Interval: check.Interval,
    Timeout: check.Timeout,
    ExposedPort: check.ExposedPort,
    Definition: Object.keys(check.Definition).length === 0 ? NO_DEFINITION : check.Definition,
    PeerName: check.PeerName,
    CreateIndex: 0,
    ModifyIndex: 0,
  };
}

export function makeCheckGroup(nodeName: string, serviceId: string, checkIds: readonly string[]): CheckGroup {
  return { Node: nodeName, ServiceID: serviceId, CheckIDs: checkIds.length === 0 ? NO_STRINGS : checkIds, CreateIndex: 0, ModifyIndex: 0 };
}
