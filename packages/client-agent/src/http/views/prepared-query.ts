import type { CheckServiceNode, PreparedQuery, PreparedQueryResult, QueryMeta } from '@lictor/protocol';
import { encodeJson, toBody } from '../reply/encode-json.ts';
import { type Body, encodeList } from '../reply/sliced-json.ts';
import { type LongView, sharedListView } from '../reply/views.ts';
import { nodeJson, txnServiceJson } from './catalog.ts';
import { checkJson } from './check.ts';

export const preparedQueriesView: LongView<readonly PreparedQuery[]> = sharedListView(preparedQueryJson);

export function preparedQueryJson(query: PreparedQuery): object {
  const { Service: service, Template: template } = query;
  return {
    ID: query.ID,
    Name: query.Name,
    Session: query.Session,
    Token: query.Token,
    Template: { Type: template.Type, Regexp: template.Regexp, RemoveEmptyTags: template.RemoveEmptyTags },
    Service: {
      Service: service.Service,
      SamenessGroup: service.SamenessGroup,
      Failover: {
        NearestN: service.Failover.NearestN,
        Datacenters: service.Failover.Datacenters,
        Targets: service.Failover.Targets?.map(({ Peer, Datacenter }) => ({ Peer, Datacenter })) ?? null,
      },
      OnlyPassing: service.OnlyPassing,
      IgnoreCheckIDs: service.IgnoreCheckIDs,
      Near: service.Near,
      Tags: service.Tags,
      NodeMeta: service.NodeMeta,
      ServiceMeta: service.ServiceMeta,
      Connect: service.Connect,
      Peer: service.Peer,
    },
    DNS: { TTL: query.DNS.TTL },
    CreateIndex: query.CreateIndex,
    ModifyIndex: query.ModifyIndex,
  };
}

export function explanationJson(query: PreparedQuery, meta: QueryMeta): object {
  return { Query: preparedQueryJson(query), ...metaJson(meta) };
}

/** The instances, of which there may be many, in slices; around them what there is but once. */
export async function encodeExecution(result: PreparedQueryResult, meta: QueryMeta, indent: boolean): Promise<Body> {
  const { DNS, Datacenter, PeerName, Failovers } = result;
  const nodes = await encodeList(result.Nodes, instanceJson, indent);
  const before = encodeJson({ Service: result.Service }, indent);
  const after = encodeJson({ DNS: { TTL: DNS.TTL }, Datacenter, PeerName, Failovers, ...metaJson(meta) }, indent);
  // Both without the brace that the instances are between.
  const [end, name, separator] = indent ? (['\n}', ',\n    "Nodes": ', ','] as const) : (['}', ',"Nodes":', ','] as const);
  const head = before.slice(0, -end.length) + name;
  const tail = separator + after.slice(1);
  if (indent) return toBody(head + String(nodes).replaceAll('\n', '\n    ') + tail);
  return typeof nodes === 'string' ? toBody(head + nodes + tail) : Buffer.concat([Buffer.from(head), nodes, Buffer.from(tail)]);
}

/** What Consul shows of a read in the body of these answers, too. */
function metaJson(meta: QueryMeta): object {
  return {
    Index: meta.index,
    LastContact: Math.round(meta.lastContactMs * 1e6),
    KnownLeader: meta.knownLeader,
    ConsistencyLevel: meta.consistency === 'default' ? 'leader' : meta.consistency,
    NotModified: false,
    Backend: 0,
    ResultsFilteredByACLs: meta.resultsFilteredByAcls,
  };
}

/** Empty lists are null here (observed: GET /v1/query/:name/execute). */
function instanceJson({ Node: node, Service: service, Checks: checks }: CheckServiceNode): object {
  return { Node: nodeJson(node), Service: txnServiceJson(service), Checks: checks.length === 0 ? null : checks.map(checkJson) };
}
