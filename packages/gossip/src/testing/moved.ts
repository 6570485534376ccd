import { type Random, randomInteger, shuffled } from '@lictor/protocol';
import { seededRandom } from '@lictor/protocol/testing';
import type { Serf } from '../serf/index.ts';
import { SerfCluster } from './serf-cluster.ts';
import { addressOf } from './sim-cluster.ts';
import type { SimNode } from './sim-node.ts';

const SERVERS = 3;
const RETRY_MS = 2000;
const PATIENCE_MS = 2 * 60_000;

/**
 * Servers that all end at once and come back under each other's addresses, as containers do whose engine gives addresses out in the order of starting,
 * while client agents stay. Those that come back ask the addresses of all servers, and the members they knew, until one answers.
 *
 * @returns after which time since the last came back everybody knew everybody's address, in virtual ms
 * @throws Error who takes whom for what
 */
export function serversMoved(seed: number): number {
  const random = seededRandom(seed);
  const clients = 1 + randomInteger(random, 2);
  const cluster = new SerfCluster({
    seed,
    nodes: SERVERS + clients,
    network: { lossRate: random.float() * 0.05 },
    serf: { resolvesNameConflicts: true },
  });
  cluster.formed();
  const names = Array.from({ length: SERVERS }, (_, position) => `n${position + 1}`);
  for (const name of names) {
    cluster.sim.kill(name);
    cluster.pass(random.float() * 100);
  }
  cluster.pass(random.float() * 60_000);
  const addresses = shuffled([...names.keys()], random);
  for (const [position, name] of names.entries()) {
    const node = cluster.sim.add(name, addressOf(addresses[position] ?? position));
    retryJoin(cluster, node, random);
    cluster.pass(random.float() * 2000);
  }
  const sinceMs = cluster.sim.time.nowMs;
  if (!cluster.sim.until(() => problem(cluster) === undefined, PATIENCE_MS, 500))
    throw new Error(`after ${PATIENCE_MS} ms ${problem(cluster)}`);
  return cluster.sim.time.nowMs - sinceMs;
}

function retryJoin({ sim }: SerfCluster, node: SimNode<Serf>, random: Random): void {
  const join = (): void => {
    if (node.core.members().filter(({ status }) => status === 'alive').length > 1) return;
    for (let position = 0; position < SERVERS; position++) if (addressOf(position) !== node.address) node.join(addressOf(position));
    sim.time.at(RETRY_MS * (0.5 + random.float()), join);
  };
  join();
}

function problem({ sim }: SerfCluster): string | undefined {
  for (const { name: by, core } of sim.up) {
    for (const { name, address } of sim.up) {
      const member = core.member(name);
      if (member?.status !== 'alive') return `${by} takes ${name} for ${member?.status}`;
      if (member.address !== address) return `${by} takes ${name} to be at ${member.address}, not ${address}`;
    }
  }
  return undefined;
}
