import type { Random } from '@lictor/protocol';
import type { PersistBatch } from '../core/effects.ts';
import { type Entry, type HardState, type NodeId, type SnapshotMeta } from '../core/entry.ts';
import { EMPTY_MEMBERSHIP } from '../core/membership.ts';
import type { Message, SnapshotRequest } from '../core/message.ts';
import { DEFAULT_LIMITS, type RaftOptions } from '../core/options.ts';
import { Raft } from '../core/raft.ts';
import { nextState, SafetyViolation } from './observers.ts';

/** What survives a crash. */
interface Stored {
  hardState: HardState;
  snapshot: SnapshotMeta;
  /** The state machine that the snapshot holds. */
  snapshotState: number;
  entries: Entry[];
}

/** What the transport carries along with a snapshot message. */
export interface Sent {
  readonly message: Message;
  readonly snapshotState: number;
}

export interface SimNodeEvents {
  send(sent: Sent): void;
  /** Asks to be told, by `persistDone`, when the batch is durable. */
  persist(node: SimNode): void;
  applied(node: SimNode, entry: Entry, previous: number, state: number): void;
  becameLeader(node: SimNode): void;
  read(node: SimNode, id: number, index: number | undefined): void;
}

export const SIM_OPTIONS = {
  heartbeatMs: 50,
  electionTimeoutMs: 200,
  leaseMs: 150,
  ...DEFAULT_LIMITS,
  maxAppendBytes: 256,
  maxInflight: 4,
} as const;

/** A server with a disk that acknowledges late and forgets, in a crash, what it has not acknowledged. */
export class SimNode {
  readonly id: NodeId;
  readonly #events: SimNodeEvents;
  readonly #random: Random;
  readonly #options: RaftOptions;
  readonly #stored: Stored;
  raft: Raft | undefined;
  #queue: PersistBatch[] = [];
  /** Counts the lives of this server: acknowledgements of a former one are void. */
  life = 0;
  applied = 0;
  /** Of the state machine. */
  state = 0;
  paused = false;
  /** By index: the data of snapshots that have arrived and are not installed yet. */
  readonly #arrived = new Map<number, number>();

  constructor(id: NodeId, voters: readonly NodeId[], random: Random, events: SimNodeEvents, options: Partial<RaftOptions> = {}) {
    this.id = id;
    this.#events = events;
    this.#random = random;
    this.#options = { id, ...SIM_OPTIONS, ...options };
    const membership = { ...EMPTY_MEMBERSHIP, voters };
    this.#stored = {
      hardState: { term: 0, vote: undefined, commit: 0 },
      snapshot: { index: 0, term: 0, membership },
      snapshotState: 0,
      entries: [],
    };
  }

  get isUp(): boolean {
    return this.raft !== undefined;
  }

  start(nowMs: number): void {
    const { hardState, snapshot, snapshotState, entries } = this.#stored;
    this.life++;
    this.applied = snapshot.index;
    this.state = snapshotState;
    this.raft = new Raft(this.#options, { random: this.#random }, { hardState, snapshot, entries, applied: snapshot.index }, nowMs);
    this.flush();
  }

  /** Whatever storage has not acknowledged is lost; a prefix of the writes under way may have got through. */
  crash(): void {
    this.raft = undefined;
    const survived = Math.floor(this.#random.float() * (this.#queue.length + 1));
    for (const batch of this.#queue.slice(0, survived)) this.#store(batch);
    this.#queue = [];
  }

  receive({ message, snapshotState }: Sent, nowMs: number): void {
    if (message.type === 'snapshot') this.#arrived.set(message.snapshot.index, snapshotState);
    this.input((raft) => raft.step(message, nowMs));
  }

  input(act: (raft: Raft) => void): void {
    if (this.raft === undefined) return;
    act(this.raft);
    this.flush();
  }

  /** The oldest batch is durable now. */
  persistDone(nowMs: number): void {
    const batch = this.#queue.shift();
    if (batch === undefined || this.raft === undefined) return;
    this.#store(batch);
    for (const message of batch.messages) this.#send(message);
    this.raft.persisted(batch.token, nowMs);
    this.flush();
  }

  /** Takes a snapshot of what is applied and keeps `trailing` entries before it. */
  compact(trailing: number): void {
    const { raft } = this;
    if (raft === undefined || this.applied <= this.#stored.snapshot.index || raft.termOf(this.applied) === undefined) return;
    const lastStored = this.#stored.entries.at(-1)?.index ?? this.#stored.snapshot.index;
    if (lastStored < this.applied) return;
    const snapshot = raft.snapshotAt(this.applied);
    raft.compact(snapshot, this.applied - trailing + 1);
    this.#stored.snapshot = snapshot;
    this.#stored.snapshotState = this.state;
    this.#stored.entries = this.#stored.entries.filter(({ index }) => index > snapshot.index - trailing);
  }

  flush(): void {
    const { raft } = this;
    if (raft === undefined) return;
    for (;;) {
      const { messages, persist, committed, reads, status } = raft.takeEffects();
      if (status?.role === 'leader') this.#events.becameLeader(this);
      for (const message of messages) this.#send(message);
      if (persist !== undefined) {
        // The state machine jumps; what is durable follows with the batch.
        if (persist.snapshot !== undefined) {
          this.applied = persist.snapshot.index;
          this.state = this.#arrived.get(persist.snapshot.index) ?? 0;
        }
        this.#queue.push(persist);
        this.#events.persist(this);
      }
      for (const entry of committed) {
        this.#mustBeDurable(entry);
        this.state = nextState(this.state, entry);
        this.#events.applied(this, entry, this.applied, this.state);
        this.applied = entry.index;
      }
      for (const { id, index } of reads) this.#events.read(this, id, index);
      if (messages.length === 0 && persist === undefined && committed.length === 0 && reads.length === 0) return;
    }
  }

  /** What is applied is in the log on disk: a snapshot of the state machine would be ahead of the log otherwise, after a crash. */
  #mustBeDurable({ index, term }: Entry): void {
    const { entries } = this.#stored;
    const stored = entries[index - (entries[0]?.index ?? 0)];
    if (stored?.index === index && stored.term === term) return;
    throw new SafetyViolation(`${this.id} applies entry ${index} of term ${term}, which is not durable there`);
  }

  /** A snapshot message takes the newest stored snapshot with it. */
  #send(message: Message): void {
    if (message.type !== 'snapshot') {
      this.#events.send({ message, snapshotState: 0 });
      return;
    }
    const request: SnapshotRequest = { ...message, snapshot: this.#stored.snapshot };
    this.#events.send({ message: request, snapshotState: this.#stored.snapshotState });
  }

  #store({ hardState, snapshot, entries }: PersistBatch): void {
    if (hardState !== undefined) this.#stored.hardState = hardState;
    if (snapshot !== undefined) {
      this.#stored.snapshot = snapshot;
      this.#stored.snapshotState = this.#arrived.get(snapshot.index) ?? 0;
      this.#stored.entries = [];
    }
    const first = entries[0];
    if (first === undefined) return;
    this.#stored.entries = [...this.#stored.entries.filter(({ index }) => index < first.index), ...entries];
  }
}
