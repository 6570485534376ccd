import type { Entry, HardState, NodeId, SnapshotMeta } from '../core/entry.ts';
import type { Message, SnapshotRequest } from '../core/message.ts';

/** What a store has found at a start. */
export interface StoredLog {
  readonly hardState: HardState;
  /** Contiguous; those at or before the newest snapshot may be missing. */
  readonly entries: readonly Entry[];
}

/**
 * The log and the hard state of one server, on a disk that tells the truth about sync.
 *
 * 1. One call at a time.
 * 2. When a call resolves, what it did is durable; when it rejects, the server must stop taking part: the log is not to be trusted.
 * 3. A batch is there whole or not at all, also after a crash in the middle.
 */
export interface LogStore {
  /** @throws RaftError `corrupt` naming the record: a torn last batch is dropped, anything else is not passed over */
  load(): Promise<StoredLog>;
  /** Entries replace everything stored from the first one's index on. One sync. */
  write(batch: { readonly hardState: HardState | undefined; readonly entries: readonly Entry[] }): Promise<void>;
  /** Forgets entries through `index`. Need not be synced. */
  trim(index: number): Promise<void>;
  /** Forgets all entries: a snapshot replaces them. Synced, before entries behind it are written. */
  clear(): Promise<void>;
  close(): Promise<void>;
}

/** A snapshot that lies in the store. */
export interface StoredSnapshot {
  readonly meta: SnapshotMeta;
  /** Of what `read` gives. */
  readonly sizeBytes: number;
  /** As it is sent to a peer, checksums and all, from `offset` on: the peer's receiver verifies it. */
  read(offset?: number): AsyncIterable<Uint8Array>;
  /** What the state machine gave; checksums are verified on the way. @throws RaftError `corrupt` */
  state(): AsyncIterable<Uint8Array>;
}

/** Snapshots in files: checksummed, written beside and renamed into place, the newest two kept. */
export interface SnapshotStore {
  /** The newest that is whole. */
  latest(): Promise<StoredSnapshot | undefined>;
  /** Durable when it resolves. */
  save(meta: SnapshotMeta, state: AsyncIterable<Uint8Array>): Promise<StoredSnapshot>;
  /** For one that arrives in pieces: bytes that are there already, from an earlier attempt at the same snapshot. */
  receive(meta: SnapshotMeta): Promise<SnapshotReceiver>;
  /** One that was received becomes the newest: the core has said so. Durable when it resolves. */
  install(meta: SnapshotMeta): Promise<StoredSnapshot>;
}

export interface SnapshotReceiver {
  /** Where to go on, in the bytes of the sender's `read`. */
  readonly offset: number;
  /** @throws RaftError `corrupt`: a wrong checksum; what is there is thrown away */
  append(bytes: Uint8Array): Promise<void>;
  /** All is there: verified and durable, but not the newest before the core says so. */
  finish(): Promise<StoredSnapshot>;
  /** Given up for now: what is here stays, for a later attempt at the same snapshot. Idempotent. */
  close(): Promise<void>;
}

/** Messages to the other servers. Any may be lost, doubled, late or out of order; none is changed. */
export interface Transport {
  start(handler: TransportHandler): Promise<void>;
  /** Where peers are; those who are gone are disconnected. */
  setPeers(addresses: ReadonlyMap<NodeId, string>): void;
  /** Drops rather than waits: the core sends again what matters. */
  send(message: Message): void;
  /** Delivers the snapshot in chunks, from where the peer says, then the message. False: not delivered. */
  sendSnapshot(message: SnapshotRequest, snapshot: StoredSnapshot): Promise<boolean>;
  stop(): Promise<void>;
}

export interface TransportHandler {
  receive(message: Message): void;
  /** A peer wants to send a snapshot. */
  receiveSnapshot(meta: SnapshotMeta): Promise<SnapshotReceiver>;
}

/** What the log is for. */
export interface StateMachine {
  /**
   * Commands only. Total and deterministic. Results in the order of the entries, for those who proposed them. A promise is for the rare
   * command that takes long: nothing else is applied, and no snapshot taken, before it resolves.
   */
  apply(entries: readonly Entry[]): readonly unknown[] | Promise<readonly unknown[]>;
  /** The state as it is at the call (the body of a generator function runs too late); slices come later, while applying goes on. */
  snapshot(): AsyncIterable<Uint8Array>;
  /** Replaces the whole state; on failure the state is as before. */
  restore(state: AsyncIterable<Uint8Array>, meta: SnapshotMeta): Promise<void>;
}
