import { FakeClock, MemoryLogger, seededRandom } from '@lictor/protocol/testing';
import type { NodeId } from '../../core/entry.ts';
import { EMPTY_MEMBERSHIP } from '../../core/membership.ts';
import { DEFAULT_LIMITS } from '../../core/options.ts';
import { DiskLogStore } from '../../storage/log-store.ts';
import { FileSnapshotStore } from '../../storage/snapshot-store.ts';
import { MemoryDisk } from '../../storage/testing/memory-disk.ts';
import { MemoryFiles } from '../../storage/testing/memory-files.ts';
import { RaftNode } from '../node.ts';
import { DEFAULT_NODE_LIMITS, type NodeOptions } from '../options.ts';
import { ListMachine } from './list-machine.ts';
import { MemoryMetrics } from './memory-metrics.ts';
import { MemoryNetwork } from './memory-network.ts';
import { StallableClock } from './stallable-clock.ts';

const TIMING = { heartbeatMs: 50, electionTimeoutMs: 200, leaseMs: 150 } as const;

/** One server's disk, which outlives its node. */
interface Member {
  readonly disk: MemoryDisk;
  readonly files: MemoryFiles;
  readonly clock: StallableClock;
  readonly metrics: MemoryMetrics;
  node: RaftNode | undefined;
  machine: ListMachine;
  failures: Error[];
}

/** Servers in one process, on a clock that only the test moves. */
export class Cluster {
  readonly clock = new FakeClock();
  readonly network = new MemoryNetwork();
  readonly logger = new MemoryLogger();
  readonly members = new Map<NodeId, Member>();
  readonly #options: Partial<NodeOptions>;
  #seed = 1;

  constructor(ids: readonly NodeId[], options: Partial<NodeOptions> = {}) {
    this.#options = options;
    for (const id of ids) this.add(id);
  }

  static async start(ids: readonly NodeId[], options: Partial<NodeOptions> = {}): Promise<Cluster> {
    const cluster = new Cluster(ids, options);
    const membership = { ...EMPTY_MEMBERSHIP, voters: ids, addresses: Object.fromEntries(ids.map((id) => [id, `${id}:8300`])) };
    for (const [id, { disk }] of cluster.members) {
      await RaftNode.bootstrap(new DiskLogStore(disk), membership);
      await cluster.startNode(id);
    }
    return cluster;
  }

  add(id: NodeId): void {
    this.members.set(id, {
      disk: new MemoryDisk(),
      files: new MemoryFiles(),
      clock: new StallableClock(this.clock),
      metrics: new MemoryMetrics(),
      node: undefined,
      machine: new ListMachine(),
      failures: [],
    });
  }

  async startNode(id: NodeId, prepare: (machine: ListMachine) => void = () => undefined): Promise<RaftNode> {
    const member = this.member(id);
    member.machine = new ListMachine();
    prepare(member.machine);
    const node = new RaftNode(
      { id, ...TIMING, ...DEFAULT_LIMITS, ...DEFAULT_NODE_LIMITS, ...this.#options },
      {
        log: new DiskLogStore(member.disk),
        snapshots: new FileSnapshotStore(member.files, this.logger),
        transport: this.network.transportOf(id),
        machine: member.machine,
        clock: member.clock,
        random: seededRandom(this.#seed++),
        logger: this.logger,
        metrics: member.metrics,
        onFailure: (error) => member.failures.push(error),
      },
    );
    await node.start();
    member.node = node;
    return node;
  }

  /** As a power cut: what is not synced is lost. */
  async kill(id: NodeId): Promise<void> {
    const member = this.member(id);
    await member.node?.stop();
    member.node = undefined;
    member.disk.crash();
  }

  async stop(): Promise<void> {
    for (const { node } of this.members.values()) await node?.stop();
  }

  member(id: NodeId): Member {
    const member = this.members.get(id);
    if (member === undefined) throw new Error(`no server ${id}`);
    return member;
  }

  node(id: NodeId): RaftNode {
    const { node } = this.member(id);
    if (node === undefined) throw new Error(`${id} is down`);
    return node;
  }

  /** Moves time until it is so; 30 s at most. */
  async until(condition: () => boolean, what: string): Promise<void> {
    for (let step = 0; step < 3000; step++) {
      if (condition()) return;
      await this.clock.advance(10);
    }
    throw new Error(`not within 30 s: ${what}`);
  }

  /** While time goes by. */
  async during<T>(work: Promise<T>): Promise<T> {
    let done = false;
    const settled = work.finally(() => {
      done = true;
    });
    settled.catch(() => undefined);
    await this.until(() => done, 'the work is done');
    return await settled;
  }

  leaders(): readonly NodeId[] {
    return [...this.members].flatMap(([id, { node, failures }]) =>
      node !== undefined && failures.length === 0 && node.status().role === 'leader' ? [id] : [],
    );
  }

  async leader(except?: NodeId): Promise<NodeId> {
    await this.until(() => this.leaders().some((id) => id !== except), 'somebody leads');
    return this.leaders().find((id) => id !== except) ?? '';
  }

  propose(id: NodeId, command: string): ReturnType<RaftNode['propose']> {
    return this.node(id).propose(Buffer.from(command));
  }

  async untilAllHave(commands: readonly string[]): Promise<void> {
    const wanted = JSON.stringify(commands);
    const up = [...this.members.values()].filter(({ node }) => node !== undefined);
    await this.until(() => up.every(({ machine }) => JSON.stringify(machine.commands) === wanted), `all have ${wanted.slice(0, 200)}`);
  }
}
