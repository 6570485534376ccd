import { type Random, randomInteger, silentMetrics } from '@lictor/protocol';
import { FakeClock, MemoryLogger, seededRandom } from '@lictor/protocol/testing';
import type { NodeId } from '../../core/entry.ts';
import { RaftError } from '../../core/errors.ts';
import { EMPTY_MEMBERSHIP } from '../../core/membership.ts';
import type { Message } from '../../core/message.ts';
import { DEFAULT_LIMITS } from '../../core/options.ts';
import { decodeLogState } from '../../storage/log-record.ts';
import { DiskLogStore } from '../../storage/log-store.ts';
import { FileSnapshotStore } from '../../storage/snapshot-store.ts';
import { MemoryDisk } from '../../storage/testing/memory-disk.ts';
import { MemoryFiles } from '../../storage/testing/memory-files.ts';
import { RaftNode } from '../node.ts';
import { DEFAULT_NODE_LIMITS } from '../options.ts';
import { MemoryNetwork } from './memory-network.ts';
import { StallableClock } from './stallable-clock.ts';
import { faultOf } from './storm-faults.ts';
import { History, StormMachine } from './storm-machine.ts';
import { StormObserver } from './storm-observer.ts';

export interface StormResult {
  readonly applied: number;
  readonly acknowledgements: number;
  readonly reads: number;
  readonly restarts: number;
  readonly installs: number;
  readonly refusedStarts: number;
}

export interface StormMember {
  readonly id: NodeId;
  readonly disk: MemoryDisk;
  readonly files: MemoryFiles;
  readonly clock: StallableClock;
  machine: StormMachine;
  node: RaftNode | undefined;
  /** Its disk has refused a write: it may stop for good. */
  mayFail: boolean;
}

const IDS = ['a', 'b', 'c'];
const ROUNDS = 40;
const TIMING = { heartbeatMs: 50, electionTimeoutMs: 200, leaseMs: 150 } as const;
const OPTIONS = {
  ...TIMING,
  ...DEFAULT_LIMITS,
  ...DEFAULT_NODE_LIMITS,
  maxAppendBytes: 256,
  snapshotEntries: 12,
  snapshotIntervalMs: 0,
  trailingEntries: 4,
};

/**
 * Three whole servers in virtual time, from one seed: messages are lost, doubled, late and reordered, servers are killed, disks are slow, full
 * or broken, forget what was not synced, and flip bits. Then all is healed, and everything that was promised has to be there.
 */
export class Storm {
  readonly clock = new FakeClock();
  readonly network = new MemoryNetwork();
  readonly random: Random;
  readonly members: readonly StormMember[];
  readonly #history = new History();
  readonly #observer = new StormObserver(this.#history);
  readonly #weather: { readonly lossRate: number; readonly delayMs: number };
  readonly #logger = new MemoryLogger();
  #stormy = true;
  #next = 0;
  #violation: Error | undefined;
  restarts = 0;
  refusedStarts = 0;

  constructor(seed: number) {
    this.random = seededRandom(seed);
    this.#weather = { lossRate: this.random.float() * 0.15, delayMs: [2, 20, 80][randomInteger(this.random, 3)] ?? 2 };
    this.members = IDS.map((id) => ({
      id,
      disk: new MemoryDisk(),
      files: new MemoryFiles(),
      clock: new StallableClock(this.clock),
      machine: new StormMachine(id, this.#history),
      node: undefined,
      mayFail: false,
    }));
    this.network.carry = (message, deliver) => this.#carry(message, deliver);
  }

  /** @throws SafetyViolation, or Error when the healed cluster does not converge */
  async run(): Promise<StormResult> {
    for (const { disk } of this.members) await RaftNode.bootstrap(new DiskLogStore(disk), { ...EMPTY_MEMBERSHIP, voters: IDS });
    for (const member of this.members) await this.start(member);
    await this.clock.advance(3 * TIMING.electionTimeoutMs);
    for (let round = 0; round < ROUNDS; round++) {
      if (this.random.float() < 0.6) await faultOf(this);
      for (let turn = 0; turn < 3; turn++) {
        for (const member of this.members) this.#use(member);
        await this.clock.advance(randomInteger(this.random, 200));
      }
      this.#check();
    }
    await this.#heal();
    await this.#converge();
    const { acknowledgements, reads } = this.#observer;
    const installs = this.#logger.lines.filter(({ message }) => message.startsWith("installed the leader's")).length;
    return { applied: this.#history.size, acknowledgements, reads, restarts: this.restarts, installs, refusedStarts: this.refusedStarts };
  }

  get leader(): StormMember | undefined {
    const leaders = this.members.filter(({ node }) => node?.status().role === 'leader');
    return leaders.sort((a, b) => (b.node?.status().term ?? 0) - (a.node?.status().term ?? 0))[0];
  }

  pick(): StormMember {
    const member = this.members[randomInteger(this.random, this.members.length)];
    if (member === undefined) throw new Error('no server');
    return member;
  }

  /** @throws RaftError `corrupt` */
  async start(member: StormMember): Promise<void> {
    member.machine = new StormMachine(member.id, this.#history);
    member.disk.failure = undefined;
    member.mayFail = false;
    const node = new RaftNode(
      { id: member.id, ...OPTIONS },
      {
        log: new DiskLogStore(member.disk),
        snapshots: new FileSnapshotStore(member.files, this.#logger),
        transport: this.network.transportOf(member.id),
        machine: member.machine,
        clock: member.clock,
        random: this.random,
        logger: this.#logger,
        metrics: silentMetrics,
        onFailure: (error) => {
          if (member.node === node && !member.mayFail) this.#violation ??= new Error(`${member.id} has failed`, { cause: error });
        },
      },
    );
    member.node = node;
    const started = node.start().catch((thrown: unknown) => {
      member.node = undefined;
      throw thrown;
    });
    node.onStatus(({ role }) => {
      if (role === 'leader') this.#watch(this.#observer.read(node.read('quorum'), () => member.machine.last));
    });
    await this.#during(started);
  }

  /** As a power cut: of what is not synced, some may have reached the disk. */
  async kill(member: StormMember): Promise<void> {
    const { node } = member;
    if (node === undefined) return;
    member.node = undefined;
    this.restarts++;
    member.disk.gate = undefined;
    member.disk.crash(() => this.random.float() < 0.5);
    member.files.crash(() => this.random.float());
    await this.#during(node.stop());
  }

  /** The disk may need time for it. */
  async #during(work: Promise<void>): Promise<void> {
    let isDone = false;
    const done = work.finally(() => {
      isDone = true;
    });
    done.catch(() => undefined);
    for (let step = 0; step < 2000 && !isDone; step++) await this.clock.advance(1);
    if (!isDone) throw new Error('a server neither starts nor stops');
    await done;
  }

  #use({ node, machine }: StormMember): void {
    if (node === undefined) return;
    for (let count = 0; count < 4; count++) {
      const command = `${this.#next++}`;
      this.#watch(this.#observer.proposed(command, node.propose(Buffer.from(command))));
    }
    if (node.canAnswerReads()) this.#observer.readFrom(machine.last);
    const by = this.random.float() < 0.5 ? 'lease' : 'quorum';
    this.#watch(this.#observer.read(node.read(by), () => machine.last));
  }

  #watch(outcome: Promise<void>): void {
    outcome.catch((thrown: unknown) => {
      this.#violation ??= thrown instanceof Error ? thrown : new Error(String(thrown));
    });
  }

  #check(): void {
    if (this.#violation !== undefined) throw this.#violation;
  }

  #carry(message: Message, deliver: () => void): void {
    try {
      const from = this.members.find(({ id }) => id === message.from);
      const state = from?.disk.record(0);
      this.#observer.sent(message, state === undefined ? undefined : decodeLogState(state)?.hardState);
      if (from?.node?.canAnswerReads() === true) this.#observer.readFrom(from.machine.last);
    } catch (thrown) {
      this.#watch(Promise.reject(thrown instanceof Error ? thrown : new Error(String(thrown))));
    }
    const { lossRate, delayMs } = this.#weather;
    const copies = this.#stormy && this.random.float() < lossRate / 3 ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      if (this.#stormy && this.random.float() < lossRate) continue;
      if (!this.#stormy || this.random.float() < 0.4) queueMicrotask(deliver);
      else this.clock.setTimer(this.random.float() * delayMs, deliver);
    }
  }

  async #heal(): Promise<void> {
    this.#stormy = false;
    this.network.heal();
    for (const member of this.members) {
      member.disk.gate = undefined;
      member.disk.latency = undefined;
      member.files.failure = undefined;
      member.machine.latency = undefined;
      if (member.disk.failure !== undefined) await this.kill(member);
      if (member.node === undefined) await this.start(member);
    }
    await this.clock.advance(10 * TIMING.electionTimeoutMs);
    this.#check();
  }

  async #converge(): Promise<void> {
    const { leader } = this;
    if (leader?.node === undefined) throw new Error(`no leader ${10 * TIMING.electionTimeoutMs} ms after healing`);
    const everybody = this.members.map(({ id }) => ({ id, to: 'voter' as const }));
    const changed = leader.node.changeMembership(everybody).catch((thrown: unknown) => {
      if (!(thrown instanceof RaftError)) throw thrown;
    });
    await this.clock.advance(2000);
    await changed;
    this.#watch(this.#observer.proposed('last', leader.node.propose(Buffer.from('last'))));
    await this.clock.advance(2000);
    this.#check();
    const wanted = leader.node.status().lastIndex;
    for (const { id, node, machine } of this.members) {
      if (node?.status().applied !== wanted) throw new Error(`${id} has applied ${node?.status().applied ?? 0} of ${wanted}`);
      this.#observer.ended(machine.indexes);
    }
  }
}
