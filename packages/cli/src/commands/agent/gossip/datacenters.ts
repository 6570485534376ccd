import type { GossipPool, Member } from '@lictor/gossip';
import { joinHostPort, parseHostPortOr } from '@lictor/protocol';
import type { DatacenterDirectory, WanServer } from '@lictor/server';
import { toApiCoordinate } from './coordinate.ts';

/** The servers of all datacenters, as the WAN pool knows them. */
export function datacentersOf(pool: GossipPool): DatacenterDirectory {
  return { servers: () => pool.members().flatMap((member) => toServer(pool, member) ?? []) };
}

function toServer(pool: GossipPool, { name, address, tags, status }: Member): WanServer | undefined {
  const datacenter = tags['dc'] ?? '';
  const port = Number(tags['port']);
  if (datacenter === '' || status === 'left' || !Number.isInteger(port) || port < 1 || port > 65_535) return undefined;
  const suffix = `.${datacenter}`;
  const coordinate = pool.coordinateOf(name);
  return {
    name: name.endsWith(suffix) ? name.slice(0, -suffix.length) : name,
    datacenter,
    address: joinHostPort(parseHostPortOr(address, 0).host, port),
    isAlive: status === 'alive',
    coordinate: coordinate === undefined ? undefined : toApiCoordinate(coordinate),
    rttSeconds: pool.distance(pool.self.name, name),
  };
}
