import { seededRandom } from '@lictor/protocol/testing';
import type { PersistBatch } from '../core/effects.ts';
import type { Entry, HardState, NodeId, SnapshotMeta } from '../core/entry.ts';
import type { Message } from '../core/message.ts';
import { DEFAULT_LIMITS, type RaftOptions } from '../core/options.ts';
import { Raft } from '../core/raft.ts';
import { formatEntry, formatMembership, formatMessage, formatSnapshot, formatWrite } from './transcript-format.ts';

interface Stored {
  hardState: HardState;
  snapshot: SnapshotMeta;
  entries: readonly Entry[];
}

interface Server {
  readonly id: NodeId;
  readonly options: RaftOptions;
  readonly stored: Stored;
  raft: Raft | undefined;
  /** Written, and not acknowledged by the disk. */
  writes: PersistBatch[];
  applied: number;
}

const TICK_MS = 10;
const SETTLE_ROUNDS = 200;
export const TRANSCRIPT_TIMING = { heartbeatMs: 20, electionTimeoutMs: 100, leaseMs: 80 } as const;

/** Cores whose every effect is written down; network and disks wait until they are told to go on. Election timeouts are not random: 100 ms. */
export class TranscriptCluster {
  readonly #servers = new Map<NodeId, Server>();
  #network: Message[] = [];
  #nowMs = 0;
  readonly #isolated = new Set<NodeId>();
  #lines: string[] = [];

  /** What has happened since the last call. */
  takeLines(): string[] {
    const lines = this.#lines;
    this.#lines = [];
    return lines;
  }

  note(line: string): void {
    this.#lines.push(line);
  }

  add(id: NodeId, stored: Stored, options: Partial<RaftOptions>): void {
    const all = { id, ...TRANSCRIPT_TIMING, ...DEFAULT_LIMITS, ...options };
    this.#servers.set(id, { id, options: all, stored, raft: undefined, writes: [], applied: 0 });
    this.start(id);
  }

  start(id: NodeId): void {
    const server = this.#get(id);
    const { snapshot } = server.stored;
    const random = { ...seededRandom(1), float: () => 0 };
    server.raft = new Raft(server.options, { random }, { ...server.stored, applied: snapshot.index }, this.#nowMs);
    server.applied = snapshot.index;
  }

  /** What the disk has not acknowledged is lost. */
  crash(id: NodeId): void {
    const server = this.#get(id);
    server.raft = undefined;
    server.writes = [];
  }

  /** Something that is done to one server's core, and what it leads to. */
  act(id: NodeId, input: (raft: Raft, nowMs: number) => void): void {
    const server = this.#get(id);
    if (server.raft === undefined) throw new Error(`${id} is down`);
    input(server.raft, this.#nowMs);
    this.#take(server);
  }

  /** Time goes by; only these notice. */
  wait(ms: number, ids: readonly NodeId[]): void {
    for (let left = ms; left > 0; left -= TICK_MS) {
      this.#nowMs += Math.min(TICK_MS, left);
      for (const id of ids) if (this.#get(id).raft !== undefined) this.act(id, (raft, nowMs) => raft.tick(nowMs));
    }
  }

  /** Time goes by for these, with working disks and messages among them. */
  run(ms: number, ids: readonly NodeId[]): void {
    for (let left = ms; left > 0; left -= TICK_MS) {
      this.wait(Math.min(TICK_MS, left), ids);
      this.settle(ids);
    }
  }

  isolate(id: NodeId): void {
    this.#isolated.add(id);
  }

  heal(): void {
    this.#isolated.clear();
  }

  get ids(): readonly NodeId[] {
    return [...this.#servers.keys()];
  }

  /** Of what is on its way those that match, in order. */
  deliver(matches: (message: Message) => boolean): void {
    for (const message of this.#remove(matches)) this.#deliver(message);
  }

  drop(matches: (message: Message) => boolean): void {
    for (const message of this.#remove(matches)) this.#lines.push(`lost: ${formatMessage(message)}`);
  }

  /** The disk acknowledges the oldest writes. */
  sync(id: NodeId, count = Infinity): void {
    const server = this.#get(id);
    for (let left = count; left > 0; left--) {
      const batch = server.writes.shift();
      if (batch === undefined || server.raft === undefined) return;
      this.#store(server, batch);
      this.#lines.push(`${id} has written`);
      for (const message of batch.messages) this.#send(message);
      server.raft.persisted(batch.token, this.#nowMs);
      this.#take(server);
    }
  }

  /** Until nothing is left to do for these, and what they say to others waits. */
  settle(ids: readonly NodeId[]): void {
    for (let round = 0; round < SETTLE_ROUNDS; round++) {
      const before = this.#lines.length;
      for (const id of ids) this.sync(id);
      this.deliver(({ from, to }) => ids.includes(from) && ids.includes(to));
      if (this.#lines.length === before) return;
    }
    throw new Error('it does not settle');
  }

  /** The state machine's snapshot, and entries from `keepFrom` on. */
  compact(id: NodeId, keepFrom: number): void {
    const server = this.#get(id);
    this.act(id, (raft) => {
      const snapshot = raft.snapshotAt(server.applied);
      raft.compact(snapshot, keepFrom);
      server.stored.snapshot = snapshot;
      server.stored.entries = server.stored.entries.filter(({ index }) => index >= keepFrom);
      this.#lines.push(`${id} has ${formatSnapshot(snapshot)}, and entries from ${raft.firstIndex}`);
    });
  }

  status(): void {
    for (const { id, raft, applied } of this.#servers.values()) {
      if (raft === undefined) this.#lines.push(`${id} is down`);
      else {
        const { role, term, leader, lastIndex, lastTerm, committed, membership } = raft;
        const led = role === 'follower' ? ` of ${leader ?? 'nobody'}` : '';
        this.#lines.push(
          `${id} ${role}${led} term ${term} last ${lastIndex}.${lastTerm} commit ${committed} applied ${applied} ${formatMembership(membership)}`,
        );
      }
    }
  }

  progress(id: NodeId): void {
    this.act(id, (raft) => {
      for (const [peer, { state, match, next }] of raft.progress) {
        if (peer !== id) this.#lines.push(`${peer} ${state} match ${match} next ${next}`);
      }
    });
  }

  #deliver(message: Message): void {
    const server = this.#servers.get(message.to);
    const isCut = this.#isolated.has(message.from) || this.#isolated.has(message.to);
    if (server?.raft === undefined || isCut) {
      this.#lines.push(`lost: ${formatMessage(message)}`);
      return;
    }
    this.#lines.push(formatMessage(message));
    server.raft.step(message, this.#nowMs);
    this.#take(server);
  }

  #take(server: Server): void {
    const { id, raft } = server;
    for (let busy = raft !== undefined; busy && raft !== undefined; ) {
      const { messages, persist, committed, reads, status } = raft.takeEffects();
      if (status !== undefined) {
        this.#lines.push(
          `  ${id} is ${status.role} in term ${status.term}${status.role === 'follower' ? ` of ${status.leader ?? 'nobody'}` : ''}`,
        );
      }
      for (const message of messages) this.#send(message);
      if (persist !== undefined) {
        server.writes.push(persist);
        this.#lines.push(`  ${id} writes ${formatWrite(persist)}`);
        if (persist.snapshot !== undefined) server.applied = persist.snapshot.index;
      }
      if (committed.length > 0) this.#lines.push(`  ${id} applies ${committed.map(formatEntry).join(', ')}`);
      server.applied = committed.at(-1)?.index ?? server.applied;
      for (const read of reads)
        this.#lines.push(`  ${id} answers read ${read.id} ${read.index === undefined ? 'with no' : `at ${read.index}`}`);
      busy = messages.length > 0 || persist !== undefined || committed.length > 0 || reads.length > 0;
    }
  }

  #send(message: Message): void {
    this.#lines.push(`  ${message.from} sends ${message.to} ${formatMessage(message).slice(message.from.length + message.to.length + 3)}`);
    this.#network.push(message);
  }

  #remove(matches: (message: Message) => boolean): readonly Message[] {
    const removed = this.#network.filter(matches);
    this.#network = this.#network.filter((message) => !removed.includes(message));
    return removed;
  }

  #store({ stored }: Server, { hardState, snapshot, entries }: PersistBatch): void {
    stored.hardState = hardState ?? stored.hardState;
    if (snapshot !== undefined) {
      stored.snapshot = snapshot;
      stored.entries = [];
    }
    const [first] = entries;
    if (first !== undefined) stored.entries = [...stored.entries.filter(({ index }) => index < first.index), ...entries];
  }

  #get(id: NodeId): Server {
    const server = this.#servers.get(id);
    if (server === undefined) throw new Error(`no server ${id}`);
    return server;
  }
}
