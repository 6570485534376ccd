import { seededRandom } from '@lictor/protocol/testing';
import type { Effects } from '../core/effects.ts';
import type { Entry, EntryKind, HardState, Membership, SnapshotMeta } from '../core/entry.ts';
import { EMPTY_MEMBERSHIP, encodeMembership } from '../core/membership.ts';
import type { Message, MessageType } from '../core/message.ts';
import { DEFAULT_LIMITS, type RaftOptions } from '../core/options.ts';
import { Raft } from '../core/raft.ts';

export const TIMING = { heartbeatMs: 10, electionTimeoutMs: 100, leaseMs: 80 } as const;

export interface Start {
  readonly id?: string;
  readonly voters?: readonly string[];
  readonly membership?: Membership;
  readonly hardState?: Partial<HardState>;
  readonly entries?: readonly Entry[];
  readonly snapshot?: Partial<SnapshotMeta>;
  readonly options?: Partial<RaftOptions>;
}

/** One core, server `a` of `a`, `b` and `c` unless said otherwise, and its effects; storage waits for `sync`. */
export class DrivenCore {
  readonly raft: Raft;
  nowMs = 0;
  readonly #pending: NonNullable<Effects['persist']>[] = [];
  /** What was sent since `sent` was last asked. */
  #sent: Message[] = [];
  readonly committed: Entry[] = [];
  readonly reads: { readonly id: number; readonly index: number | undefined }[] = [];

  constructor(start: Start = {}) {
    const { id = 'a', voters = ['a', 'b', 'c'], membership = { ...EMPTY_MEMBERSHIP, voters }, entries = [], options } = start;
    const snapshot = { index: 0, term: 0, membership, ...start.snapshot };
    const hardState = { term: entries.at(-1)?.term ?? snapshot.term, vote: undefined, commit: 0, ...start.hardState };
    const recovered = { hardState, snapshot, entries, applied: snapshot.index };
    this.raft = new Raft({ id, ...TIMING, ...DEFAULT_LIMITS, ...options }, { random: seededRandom(1) }, recovered, this.nowMs);
  }

  /** Carries effects out, but for what waits for the disk. */
  take(): Effects {
    const effects = this.raft.takeEffects();
    this.#sent.push(...effects.messages);
    if (effects.persist !== undefined) this.#pending.push(effects.persist);
    this.committed.push(...effects.committed);
    this.reads.push(...effects.reads);
    return effects;
  }

  /** The disk catches up with everything, or with the oldest batches. */
  sync(batches = Infinity): this {
    this.take();
    for (let left = batches; left > 0; left--) {
      const batch = this.#pending.shift();
      if (batch === undefined) break;
      this.#sent.push(...batch.messages);
      this.raft.persisted(batch.token, this.nowMs);
      this.take();
    }
    return this;
  }

  /** All that is out since the last call, of one type when given. */
  sent<T extends MessageType>(type: T): Extract<Message, { type: T }>[] {
    this.take();
    const sent = this.#sent.filter((message): message is Extract<Message, { type: T }> => message.type === type);
    this.#sent = this.#sent.filter((message) => message.type !== type);
    return sent;
  }

  /** Lets time pass, tick by tick. */
  pass(ms: number): this {
    for (let left = ms; left > 0; left -= 5) {
      this.nowMs += Math.min(5, left);
      this.raft.tick(this.nowMs);
    }
    this.take();
    return this;
  }

  receive(message: Message): this {
    this.raft.step(message, this.nowMs);
    this.take();
    return this;
  }

  /** From `b`, unless said otherwise; to this server, in its term. */
  append(fields: Partial<Extract<Message, { type: 'append' }>> = {}): this {
    return this.receive({ type: 'append', ...this.#envelope(), prevIndex: 0, prevTerm: 0, entries: [], commit: 0, ...fields });
  }

  appendReply(fields: Partial<Extract<Message, { type: 'append-reply' }>> = {}): this {
    return this.receive({ type: 'append-reply', ...this.#envelope(), index: 0, rejected: false, hintIndex: 0, hintTerm: 0, ...fields });
  }

  heartbeat(fields: Partial<Extract<Message, { type: 'heartbeat' }>> = {}): this {
    return this.receive({ type: 'heartbeat', ...this.#envelope(), commit: 0, round: 1, ...fields });
  }

  heartbeatReply(fields: Partial<Extract<Message, { type: 'heartbeat-reply' }>> = {}): this {
    return this.receive({ type: 'heartbeat-reply', ...this.#envelope(), round: 1, ...fields });
  }

  vote(fields: Partial<Extract<Message, { type: 'vote' }>> = {}): this {
    return this.receive({ type: 'vote', ...this.#envelope(), preVote: false, lastIndex: 0, lastTerm: 0, transfer: false, ...fields });
  }

  voteReply(fields: Partial<Extract<Message, { type: 'vote-reply' }>> = {}): this {
    return this.receive({ type: 'vote-reply', ...this.#envelope(), preVote: false, granted: true, ...fields });
  }

  /** Wins an election by the votes of these. */
  elect(voters: readonly string[] = ['b']): this {
    this.raft.campaign(this.nowMs);
    this.take();
    for (const from of voters) this.voteReply({ from, preVote: true, term: this.raft.term + 1 });
    this.sync();
    for (const from of voters) this.voteReply({ from });
    return this.sync();
  }

  #envelope(): { readonly from: string; readonly to: string; readonly term: number } {
    return { from: 'b', to: 'a', term: this.raft.term };
  }
}

export function entry(index: number, term: number, kind: EntryKind = 'command', text = `${index}.${term}`): Entry {
  return { index, term, kind, data: kind === 'noop' ? new Uint8Array() : new TextEncoder().encode(text) };
}

export function membershipEntry(index: number, term: number, membership: Partial<Membership>): Entry {
  return { index, term, kind: 'membership', data: encodeMembership({ ...EMPTY_MEMBERSHIP, ...membership }) };
}
