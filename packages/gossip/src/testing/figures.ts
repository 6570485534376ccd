import type { SwimTiming } from '../swim/index.ts';
import { SimCluster } from './sim-cluster.ts';

export interface Spread {
  readonly min: number;
  readonly median: number;
  readonly p99: number;
}

export interface Figures {
  /** From a crash until the first member says that it has failed, and until all do. */
  readonly firstDetectionMs: Spread;
  readonly fullDetectionMs: Spread;
  /** From a change of tags until a member has heard of it. */
  readonly disseminationMs: Spread;
  /** Of a pool where nothing happens, by each member. */
  readonly messagesPerSecond: number;
  readonly bytesPerSecond: number;
  /** Members said to have failed that were there, for each that was there for an hour. */
  readonly falsePositivesPerHour: number;
}

export interface FiguresOptions {
  readonly nodes: number;
  readonly seed: number;
  readonly lossRate: number;
  readonly kills: number;
  readonly timing?: Partial<SwimTiming>;
}

const QUIET_MS = 30_000;
const LIMIT_MS = 120_000;

/** What a pool does, measured in virtual time. */
export function measure({ nodes, seed, lossRate, kills, timing = {} }: FiguresOptions): Figures {
  const cluster = new SimCluster({ seed, nodes, timing, network: { lossRate } }).formed(20_000);
  const startMs = cluster.time.nowMs;
  const quiet = measureQuiet(cluster);
  const dissemination = measureDissemination(cluster, 5);
  const first: number[] = [];
  const full: number[] = [];
  const victims = Math.min(kills, Math.floor(nodes / 3));
  for (let number = 0; number < victims; number++) {
    const times = measureKill(cluster, `n${nodes - number}`);
    first.push(times[0] ?? LIMIT_MS);
    full.push(times.at(-1) ?? LIMIT_MS);
  }
  const hours = ((cluster.time.nowMs - startMs) / 3_600_000) * nodes;
  return {
    firstDetectionMs: spreadOf(first),
    fullDetectionMs: spreadOf(full),
    disseminationMs: spreadOf(dissemination),
    ...quiet,
    falsePositivesPerHour:
      new Set(cluster.falsePositives(startMs).map(({ node, atMs }) => `${node} ${Math.floor(atMs / 60_000)}`)).size / hours,
  };
}

/** Members that stand still for `blockMs` again and again, as in the experiments of Lifeguard V: how many of those that are well they bury. */
export function measureSlow(options: {
  readonly nodes: number;
  readonly slow: number;
  readonly seed: number;
  readonly timing?: Partial<SwimTiming>;
}): number {
  const { nodes, slow, seed, timing = {} } = options;
  const cluster = new SimCluster({ seed, nodes, timing }).formed();
  const names = cluster.nodes.slice(-slow).map(({ name }) => name);
  const sinceMs = cluster.time.nowMs;
  for (const name of names) {
    cluster.time.at(cluster.random.float() * BLOCK_MS, () => {
      cluster.time.every(
        () => BLOCK_MS + 1,
        () => cluster.node(name).block(BLOCK_MS),
      );
    });
  }
  cluster.time.advance(LIMIT_MS);
  return cluster.falsePositives(sinceMs).filter(({ node }) => !names.includes(node)).length;
}

const BLOCK_MS = 8000;

export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((one, other) => one - other);
  const at = (share: number): number => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0);
  return { min: at(0), median: at(0.5), p99: at(0.99) };
}

function measureQuiet(cluster: SimCluster): { readonly messagesPerSecond: number; readonly bytesPerSecond: number } {
  const total = (of: 'messages' | 'bytes'): number => cluster.nodes.reduce((sum, { traffic }) => sum + traffic[of], 0);
  const [messages, bytes] = [total('messages'), total('bytes')];
  cluster.time.advance(QUIET_MS);
  const seconds = (QUIET_MS / 1000) * cluster.nodes.length;
  return { messagesPerSecond: (total('messages') - messages) / seconds, bytesPerSecond: (total('bytes') - bytes) / seconds };
}

function measureDissemination(cluster: SimCluster, changes: number): number[] {
  const times: number[] = [];
  for (let change = 1; change <= changes; change++) {
    const sinceMs = cluster.time.nowMs;
    cluster.node(`n${change}`).command((core, nowMs) => core.setTags({ change: String(sinceMs) }, nowMs));
    cluster.time.advance(5000);
    for (const { type, node, atMs } of cluster.observations)
      if (type === 'update' && node === `n${change}` && atMs >= sinceMs) times.push(atMs - sinceMs);
  }
  return times;
}

/** When each of the others said so. */
function measureKill(cluster: SimCluster, name: string): number[] {
  cluster.time.advance(cluster.random.float() * 1000);
  const sinceMs = cluster.time.nowMs;
  cluster.kill(name);
  cluster.until(() => cluster.up.every(({ core }) => core.member(name)?.state === 'dead'), LIMIT_MS);
  return cluster.observations
    .filter(({ type, node, atMs }) => type === 'failed' && node === name && atMs >= sinceMs)
    .map(({ atMs }) => atMs - sinceMs)
    .toSorted((one, other) => one - other);
}
