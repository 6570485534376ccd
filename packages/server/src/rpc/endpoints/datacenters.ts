import { type DatacenterDirectory, datacentersByDistance } from '../../datacenters/index.ts';
import type { LiveEndpoint, LiveEndpoints } from '../types.ts';

/** What the WAN pool tells of datacenters: answered by any server, to anybody, with or without a leader. */
export function createDatacentersLive(directory: DatacenterDirectory) {
  const list: LiveEndpoint<'Catalog.ListDatacenters'> = async (_request, { datacenter }) => ({
    index: 1,
    value: datacentersByDistance(directory, datacenter),
  });
  const map: LiveEndpoint<'Coordinate.ListDatacenters'> = async (_request, context) => ({
    index: 1,
    value: datacentersByDistance(directory, context.datacenter).map((datacenter) => ({
      Datacenter: datacenter,
      AreaID: 'wan',
      Coordinates: directory
        .servers()
        .flatMap(({ name, coordinate, ...server }) =>
          server.datacenter === datacenter && coordinate !== undefined ? [{ Node: name, Coord: coordinate }] : [],
        ),
    })),
  });
  return { 'Catalog.ListDatacenters': list, 'Coordinate.ListDatacenters': map } satisfies LiveEndpoints;
}
