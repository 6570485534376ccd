import type { CheckServiceNode, Node, NodeService, NodeServices, ServiceInstance } from '@lictor/protocol';
import { type LongView, sharedListView, sharedRecordView, sharedView, type View } from '../reply/views.ts';
import { checkJson } from './check.ts';
import { catalogProxyJson, nonEmpty, nonEmptyRecord } from './proxy.ts';

export const nodesView: LongView<readonly Node[]> = sharedListView(nodeJson);
export const servicesView: LongView<Readonly<Record<string, readonly string[]>>> = sharedRecordView(sortedRecord);
export const serviceInstancesView: LongView<readonly ServiceInstance[]> = sharedListView(serviceInstanceJson);
export const healthServiceView: LongView<readonly CheckServiceNode[]> = sharedListView(checkServiceNodeJson);
export const nodeServicesView: View<NodeServices> = sharedView((found) => ({
  Node: nodeJson(found.Node),
  Services: mapRecord(sortedRecord(found.Services), nodeServiceJson),
}));
/** The same as a list: GET /v1/catalog/node-services/:node. */
export const nodeServiceListView: View<NodeServices> = sharedView((found) => ({
  Node: nodeJson(found.Node),
  Services: Object.values(sortedRecord(found.Services)).map(nodeServiceJson),
}));

export function nodeJson(node: Node): object {
  return {
    ID: node.ID,
    Node: node.Node,
    Address: node.Address,
    Datacenter: node.Datacenter,
    TaggedAddresses: node.TaggedAddresses,
    Meta: node.Meta,
    CreateIndex: node.CreateIndex,
    ModifyIndex: node.ModifyIndex,
  };
}

/** structs.NodeService: an instance inside health and node answers. */
function nodeServiceJson(service: NodeService): object {
  return {
    Kind: service.Kind || undefined,
    ID: service.ID,
    Service: service.Service,
    Tags: service.Tags,
    Address: service.Address,
    TaggedAddresses: nonEmptyRecord(service.TaggedAddresses),
    Meta: service.Meta,
    Port: service.Port || undefined,
    Ports: nonEmpty(service.Ports),
    SocketPath: service.SocketPath || undefined,
    Weights: service.Weights,
    EnableTagOverride: service.EnableTagOverride,
    Locality: service.Locality,
    AI: service.AI,
    Proxy: catalogProxyJson(service.Proxy),
    Connect: service.Connect.Native ? { Native: true } : {},
    PeerName: service.PeerName,
    CreateIndex: service.CreateIndex,
    ModifyIndex: service.ModifyIndex,
  };
}

/** In a transaction's results a service without tags has `null`, not an empty list. */
export function txnServiceJson(service: NodeService): object {
  return { ...nodeServiceJson(service), Tags: service.Tags.length === 0 ? null : service.Tags };
}

function checkServiceNodeJson(entry: CheckServiceNode): object {
  return { Node: nodeJson(entry.Node), Service: nodeServiceJson(entry.Service), Checks: entry.Checks.map(checkJson) };
}

/** structs.ServiceNode: node and service in one flat object. */
function serviceInstanceJson({ node, service }: ServiceInstance): object {
  return {
    ID: node.ID,
    Node: node.Node,
    Address: node.Address,
    Datacenter: node.Datacenter,
    TaggedAddresses: node.TaggedAddresses,
    NodeMeta: node.Meta,
    ServiceKind: service.Kind,
    ServiceID: service.ID,
    ServiceName: service.Service,
    ServiceTags: service.Tags,
    ServiceAddress: service.Address,
    ServiceTaggedAddresses: nonEmptyRecord(service.TaggedAddresses),
    ServiceWeights: service.Weights,
    ServiceMeta: service.Meta ?? {},
    ServicePort: service.Port,
    ServicePorts: nonEmpty(service.Ports),
    ServiceSocketPath: service.SocketPath,
    ServiceEnableTagOverride: service.EnableTagOverride,
    ServiceProxy: catalogProxyJson(service.Proxy),
    ServiceConnect: service.Connect.Native ? { Native: true } : {},
    ServiceLocality: service.Locality ?? null,
    PeerName: service.PeerName || undefined,
    CreateIndex: service.CreateIndex,
    ModifyIndex: service.ModifyIndex,
  };
}

/** Go writes maps in the order of their keys. */
function sortedRecord<T>(record: Readonly<Record<string, T>>): Record<string, T> {
  const out = Object.create(null) as Record<string, T>;
  for (const key of Object.keys(record).sort()) {
    const value = record[key];
    if (value !== undefined) out[key] = value;
  }
  return out;
}

function mapRecord<T, U>(record: Readonly<Record<string, T>>, map: (value: T) => U): Record<string, U> {
  const out = Object.create(null) as Record<string, U>;
  for (const [key, value] of Object.entries(record)) out[key] = map(value);
  return out;
}
