import { type Random, randomInteger } from '../../../packages/protocol/src/index.ts';
import type { TestCluster } from './cluster.ts';
import { type ClusterNetwork, isolate } from './network.ts';
import type { ClusterServer } from './server.ts';

/** Longer than Consul's election timeout with a raft_multiplier of 1, which is 1 s at most. */
const FAULT_MS = 2500;

/** One thing that happens to a cluster, for a while; afterwards all servers run and hear each other again. */
export interface Fault {
  readonly name: string;
  /** Silence between servers, or connections that break. */
  readonly needs?: 'cut' | 'sever';
  run(cluster: TestCluster, leader: ClusterServer, follower: ClusterServer): Promise<void>;
}

export const FAULTS: readonly Fault[] = [
  { name: 'kill -9 of the leader', run: (_, leader) => killFor([leader]) },
  { name: 'kill -9 of a follower', run: (_, __, follower) => killFor([follower]) },
  { name: 'kill -9 of the leader and a follower', run: (_, leader, follower) => killFor([leader, follower]) },
  { name: 'kill -9 of all at once', run: (cluster) => killFor(cluster.servers, 0) },
  { name: 'a pause of the leader', run: (_, leader) => pauseFor(leader) },
  { name: 'a pause of a follower', run: (_, __, follower) => pauseFor(follower) },
  {
    name: 'the leader alone',
    needs: 'cut',
    run: (cluster, leader) => cutFor(cluster, () => isolate(cluster.network, leader.number, 3)),
  },
  {
    name: 'a follower alone',
    needs: 'cut',
    run: (cluster, _, follower) => cutFor(cluster, () => isolate(cluster.network, follower.number, 3)),
  },
  {
    name: 'a leader that hears nobody',
    needs: 'cut',
    run: (cluster, leader) =>
      cutFor(cluster, () => forOthers(cluster, leader, (other) => cluster.network.cut(other.number, leader.number))),
  },
  {
    name: 'a leader that nobody hears',
    needs: 'cut',
    run: (cluster, leader) =>
      cutFor(cluster, () => forOthers(cluster, leader, (other) => cluster.network.cut(leader.number, other.number))),
  },
  {
    name: 'a leader and a follower that do not hear each other',
    needs: 'cut',
    run: (cluster, leader, follower) =>
      cutFor(cluster, () => {
        cluster.network.cut(leader.number, follower.number);
        cluster.network.cut(follower.number, leader.number);
      }),
  },
  {
    name: 'a leader whose connections break',
    needs: 'sever',
    run: (cluster, leader) =>
      cutFor(cluster, () => forOthers(cluster, leader, (other) => cluster.network.sever?.(leader.number, other.number))),
  },
  {
    name: 'a follower whose connections break for a moment',
    needs: 'sever',
    run: (cluster, _, follower) =>
      cutFor(cluster, () => forOthers(cluster, follower, (other) => cluster.network.sever?.(follower.number, other.number)), 0),
  },
];

/** Every fault that the network can make, once, in an order that the seed says. */
export function shuffledFaults(random: Random, network: ClusterNetwork): Fault[] {
  const left = FAULTS.filter(({ needs }) => needs === undefined || (needs === 'cut' ? network.canCut : network.sever !== undefined));
  const shuffled: Fault[] = [];
  while (left.length > 0) shuffled.push(...left.splice(randomInteger(random, left.length), 1));
  return shuffled;
}

async function killFor(servers: readonly ClusterServer[], downMs = FAULT_MS): Promise<void> {
  await Promise.all(servers.map((server) => server.kill()));
  await sleep(downMs);
  await Promise.all(servers.map((server) => server.start()));
}

async function pauseFor(server: ClusterServer): Promise<void> {
  server.pause();
  await sleep(FAULT_MS);
  server.resume();
}

async function cutFor(cluster: TestCluster, cut: () => void, cutMs = FAULT_MS): Promise<void> {
  cut();
  await sleep(cutMs);
  cluster.network.heal();
}

function forOthers(cluster: TestCluster, server: ClusterServer, act: (other: ClusterServer) => void): void {
  for (const other of cluster.servers) if (other !== server) act(other);
}

/** How long a fault lasts is what is being tested, not a wait for a condition. */
function sleep(ms: number): Promise<void> {
  return new Promise((wake) => setTimeout(wake, ms));
}
