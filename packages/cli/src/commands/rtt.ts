import type { Coordinate, NodeCoordinate } from '@lictor/protocol';
import type { LictorClient } from '@lictor/sdk';
import { CommandFailure, defineApiCommand, failing } from '../framework/command.ts';
import { EXIT } from '../framework/exit-codes.ts';
import { booleanFlag } from '../framework/flag-types.ts';
import { print } from '../framework/io.ts';

type Pair = readonly [Coordinate | undefined, Coordinate | undefined];

export const command = defineApiCommand({
  synopsis: 'Estimates network round trip time between nodes',
  usage: `
Usage: {program} rtt [options] NODE1 [NODE2]

  Estimates the round-trip time between two nodes, by name, from their network
  coordinates. NODE2 is the agent's own node by default. With -wan names are
  NODE.DATACENTER.
`,
  flags: { wan: booleanFlag('Use the coordinates of the WAN pool.') },
  run: async ({ flags, args, io, help, client }) => {
    const [first, given] = args;
    if (first === undefined || args.length > 2) throw new CommandFailure(`One or two node names must be specified\n\n${help}`);
    const connected = client();
    const second = given ?? (await ownName(connected, flags.wan));
    const [from, to] = flags.wan ? await wanPair(connected, first, second) : await lanPair(connected, first, second);
    if (from === undefined) throw new CommandFailure(`Could not find a coordinate for node ${JSON.stringify(first)}`);
    if (to === undefined) throw new CommandFailure(`Could not find a coordinate for node ${JSON.stringify(second)}`);
    const rttMs = estimateSeconds(from, to) * 1000;
    print(io, `Estimated ${first} <-> ${second} rtt: ${rttMs.toFixed(3)} ms (using ${flags.wan ? 'WAN' : 'LAN'} coordinates)`);
    return EXIT.ok;
  },
});

async function ownName({ agent }: LictorClient, wan: boolean): Promise<string> {
  const { Config } = await failing('Unable to look up agent info', () => agent.self());
  return wan ? `${Config.NodeName}.${Config.Datacenter}` : Config.NodeName;
}

async function lanPair({ coordinate }: LictorClient, first: string, second: string): Promise<Pair> {
  const { value: entries } = await failing('Error getting coordinates', () => coordinate.nodes());
  const [from, to] = [bySegment(entries, first), bySegment(entries, second)];
  // Two nodes can be compared in a segment of which both are; a node that is in one only decides.
  const segment = onlySegment(to) ?? onlySegment(from) ?? '';
  return [from.get(segment), to.get(segment)];
}

function bySegment(entries: readonly NodeCoordinate[], node: string): Map<string, Coordinate> {
  const own = entries.filter(({ Node }) => Node.toLowerCase() === node.toLowerCase());
  return new Map(own.map(({ Segment, Coord }) => [Segment, Coord]));
}

function onlySegment(coordinates: ReadonlyMap<string, Coordinate>): string | undefined {
  return coordinates.size === 1 ? [...coordinates.keys()][0] : undefined;
}

async function wanPair({ coordinate }: LictorClient, first: string, second: string): Promise<Pair> {
  const names = [first, second].map((name) => name.split('.'));
  if (names.some((parts) => parts.length !== 2))
    throw new CommandFailure('Node names must be specified as <node name>.<datacenter> with -wan');
  const datacenters = await failing('Error getting coordinates', () => coordinate.datacenters());
  const found = names.map(([node = '', datacenter = '']) =>
    datacenters.flatMap(({ Datacenter, AreaID, Coordinates }) =>
      Datacenter === datacenter
        ? Coordinates.filter(({ Node }) => Node.toLowerCase() === node.toLowerCase()).map(({ Coord }) => ({ AreaID, Coord }))
        : [],
    ),
  );
  const [from = [], to = []] = found;
  for (const a of from) for (const b of to) if (a.AreaID === b.AreaID) return [a.Coord, b.Coord];
  return [undefined, undefined];
}

/** Vivaldi distance with heights, corrected by the adjustments unless that makes it negative (Serf, coordinate.DistanceTo). */
export function estimateSeconds(a: Coordinate, b: Coordinate): number {
  const squares = a.Vec.map((value, dimension) => (value - (b.Vec[dimension] ?? 0)) ** 2);
  const raw = Math.sqrt(squares.reduce((sum, square) => sum + square, 0)) + a.Height + b.Height;
  const adjusted = raw + a.Adjustment + b.Adjustment;
  return adjusted > 0 ? adjusted : raw;
}
