import { coordinateUpdateRequest, type NodeCoordinate } from '@lictor/protocol';
import type { ApiDeps } from '../deps.ts';
import { encodeJson } from '../reply/encode-json.ts';
import { absentReply, EMPTY_REPLY, jsonReply, metaHeaders, type Reply } from '../reply/reply.ts';
import type { ApiRequest } from '../request/api-request.ts';
import { refusePartition } from '../request/enterprise.ts';
import { readJsonBody } from '../request/json-body.ts';
import { readCall } from '../request/read-options.ts';
import { writeCall } from '../request/write-call.ts';
import { acl, type Route } from '../routing/route.ts';

/** /v1/coordinate (consul-facts H084-H087). */
export const coordinateRoutes: readonly Route[] = [
  { method: 'GET', path: '/v1/coordinate/datacenters', acl: acl.none, handle: datacenters },
  { method: 'GET', path: '/v1/coordinate/nodes', acl: acl.server('node', 'read'), handle: nodes },
  { method: 'GET', path: '/v1/coordinate/node/', acl: acl.server('node', 'read'), handle: node },
  { method: 'PUT', path: '/v1/coordinate/update', acl: acl.server('node', 'write'), handle: update },
];

async function datacenters(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  const { value } = await deps.server.call('Coordinate.ListDatacenters', {}, writeCall(request));
  const body = value.map(({ Datacenter, AreaID, Coordinates }) => ({
    Datacenter,
    AreaID,
    Coordinates: Coordinates.map(({ Node, Coord }) => ({ Node, Segment: '', Coord: coordJson(Coord) })),
  }));
  return jsonReply(encodeJson(body, request.indent));
}

async function nodes(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  const options = readCall(request);
  refusePartition(request);
  const { value, meta } = await deps.server.call('Coordinate.ListNodes', {}, options);
  return jsonReply(encodeJson(inSegment(request, value), request.indent), metaHeaders(meta));
}

async function node(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  const options = readCall(request);
  refusePartition(request);
  const { value, meta } = await deps.server.call('Coordinate.Node', { node: request.rest }, options);
  const found = inSegment(request, value);
  // Consul writes the status before the headers of the read, which so never leave it.
  if (found.length === 0) return absentReply();
  return jsonReply(encodeJson(found, request.indent), metaHeaders(meta));
}

function inSegment(request: ApiRequest, coordinates: readonly NodeCoordinate[]): object[] {
  const bySegment = request.query.has('segment');
  const segment = request.query.get('segment');
  return coordinates
    .filter((coordinate) => !bySegment || coordinate.Segment === segment)
    .map(({ Node, Segment, Coord }) => ({ Node, Segment, Coord: coordJson(Coord) }));
}

function coordJson({ Vec, Error, Adjustment, Height }: NodeCoordinate['Coord']): object {
  return { Vec, Error, Adjustment, Height };
}

async function update(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  refusePartition(request);
  const body = await readJsonBody(request, coordinateUpdateRequest, { goStruct: 'CoordinateUpdateRequest' });
  await deps.server.call('Coordinate.Update', body, writeCall(request));
  return EMPTY_REPLY;
}
