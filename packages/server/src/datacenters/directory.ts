import type { Coordinate } from '@lictor/protocol';

/** A server of any datacenter, as the WAN pool knows it. */
export interface WanServer {
  /** Of its node. */
  readonly name: string;
  readonly datacenter: string;
  /** `ip:port` of its RPC. */
  readonly address: string;
  readonly isAlive: boolean;
  /** Undefined: not known yet. */
  readonly coordinate: Coordinate | undefined;
  /** Estimated round-trip time from this server, seconds; undefined: not known yet. */
  readonly rttSeconds: number | undefined;
}

/** The servers of all datacenters. */
export interface DatacenterDirectory {
  /** This server included. */
  servers(): readonly WanServer[];
}

/** Serf's Vivaldi configuration. */
const ORIGIN: Coordinate = { Vec: [0, 0, 0, 0, 0, 0, 0, 0], Error: 1.5, Adjustment: 0, Height: 1e-5 };

/** Where there is no WAN pool. */
export function loneDatacenter(datacenter: string, serverName: string, address: string): DatacenterDirectory {
  const servers = [{ name: serverName, datacenter, address, isAlive: true, coordinate: ORIGIN, rttSeconds: 0 }];
  return { servers: () => servers };
}

/** Names of all datacenters, the nearest first: by the median of their servers' distances, then by name. */
export function datacentersByDistance(directory: DatacenterDirectory, own: string): readonly string[] {
  const distances = new Map<string, number[]>([[own, [0]]]);
  for (const { datacenter, rttSeconds } of directory.servers()) {
    const known = distances.get(datacenter) ?? [];
    distances.set(datacenter, datacenter === own ? [0] : [...known, rttSeconds ?? Infinity]);
  }
  const medians = [...distances].map(([name, values]) => ({ name, median: values.sort((a, b) => a - b)[values.length >> 1] ?? Infinity }));
  return medians.sort((left, right) => compare(left.median, right.median) || (left.name < right.name ? -1 : 1)).map(({ name }) => name);
}

/** Subtracting would make NaN of two unknown distances. */
function compare(left: number, right: number): number {
  return left === right ? 0 : left < right ? -1 : 1;
}
