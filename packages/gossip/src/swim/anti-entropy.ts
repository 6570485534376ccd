import { isLive, type Node, recordOf } from './member-table.ts';
import { type Address, NO_BYTES, type PushPullMessage, type StreamMessage } from './message.ts';
import { conflictOfMerge } from './ownership.ts';
import { hearRecord } from './rumours.ts';
import { pushPullIntervalMs } from './scale.ts';
import type { SwimState } from './state.ts';

/** Whole tables, exchanged now and then: what gossip has missed, and how a newcomer gets to know everyone. */
export class AntiEntropy {
  readonly #state: SwimState;
  #nextMs: number;
  /** Exchanges that this member has begun; the value says whether to join. */
  readonly #begun = new Map<number, boolean>();

  constructor(state: SwimState) {
    this.#state = state;
    this.#nextMs = state.nowMs + state.ports.random.float() * state.options.pushPullIntervalMs;
  }

  get dueMs(): number {
    return this.#state.table.live > 1 && !this.#state.hasLeft ? this.#nextMs : Infinity;
  }

  tick(): void {
    const state = this.#state;
    if (state.nowMs < this.#nextMs) return;
    this.#nextMs = state.nowMs + pushPullIntervalMs(state.options.pushPullIntervalMs, state.table.live);
    if (state.hasLeft) return;
    const [peer] = state.table.pick(1, (node) => node !== state.self && node.state === 'alive');
    if (peer !== undefined) this.begin(peer.address, false);
  }

  /** @returns the exchange's id */
  begin(to: Address, join: boolean): number {
    const id = this.#state.nextSeq();
    this.#begun.set(id, join);
    this.#state.request(id, to, this.#table(join));
    return id;
  }

  /** A peer's table. */
  answer(theirs: PushPullMessage): StreamMessage {
    const reason = this.#refusal(theirs, theirs.join);
    if (reason !== undefined) return { type: 'refused', reason };
    // Taken before theirs is merged: what it says of the peer is what that one has to know.
    const ours = this.#table(theirs.join, theirs.from);
    this.#merge(theirs, theirs.join);
    return ours;
  }

  /** @returns why nothing came of it; undefined: it is done, or was none of this member's */
  answered(id: number, answer: StreamMessage): string | undefined {
    const join = this.#begun.get(id);
    this.#begun.delete(id);
    if (join === undefined) return undefined;
    if (answer.type === 'refused') return answer.reason;
    if (answer.type !== 'push-pull') return `unexpected answer: ${answer.type}`;
    const reason = this.#refusal(answer, join);
    if (reason !== undefined) return reason;
    this.#merge(answer, join);
    return undefined;
  }

  failed(id: number): void {
    this.#begun.delete(id);
  }

  #refusal(theirs: PushPullMessage, join: boolean): string | undefined {
    if (!join) return undefined;
    const { table, ports } = this.#state;
    const reason = conflictOfMerge(table, theirs.members) ?? ports.refusesMerge?.(theirs.members);
    if (reason !== undefined) this.#state.notice({ type: 'merge-refused', peer: theirs.from, reason });
    return reason;
  }

  #merge(theirs: PushPullMessage, join: boolean): void {
    for (const record of theirs.members) hearRecord(this.#state, record);
    this.#state.event({ type: 'app-state', join, payload: theirs.app });
  }

  /** Those that are dead for long are left out, except for the peer itself, which ought to know. */
  #table(join: boolean, peer?: string): PushPullMessage {
    const state = this.#state;
    const isWorthTelling = (node: Node): boolean =>
      isLive(node) || node.name === peer || state.nowMs - node.changedMs <= state.options.gossipToDeadMs;
    const members = [...state.table.nodes()].filter(isWorthTelling).map(recordOf);
    return { type: 'push-pull', from: state.self.name, join, members, app: state.ports.appState?.(join) ?? NO_BYTES };
  }
}
