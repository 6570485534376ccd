import { warningFor } from './buddy.ts';
import { type AckMessage, type Address, type Message, NO_BYTES, type PingMessage, type PingRequestMessage } from './message.ts';
import type { SwimState } from './state.ts';

/** Pings for others that may be under way at once. */
const MAX_RELAYS = 1024;
/** The one who asked must hear of a failure before its own probe ends (Lifeguard V: 80 % of the timeout). */
const NACK_SHARE = 0.8;

interface Relay {
  readonly to: Address;
  readonly seq: number;
  readonly nackAtMs: number;
  readonly endsAtMs: number;
  isNacked: boolean;
}

/** Answers pings, and pings for others. */
export class Relays {
  readonly #state: SwimState;
  /** By the number of this member's own ping; in order of their time. */
  readonly #relays = new Map<number, Relay>();

  constructor(state: SwimState) {
    this.#state = state;
  }

  get dueMs(): number {
    let dueMs = Infinity;
    for (const { isNacked, nackAtMs, endsAtMs } of this.#relays.values()) dueMs = Math.min(dueMs, isNacked ? endsAtMs : nackAtMs);
    return dueMs;
  }

  /** Only for this member itself: an address may have had another owner. */
  ping(from: Address, ping: PingMessage): void {
    const state = this.#state;
    if (ping.node !== state.self.name) return;
    const sender = state.table.get(ping.from);
    const warning = sender === undefined || sender === state.self ? [] : warningFor(state, sender);
    state.send(from, [this.ackOf(ping), ...warning]);
  }

  ackOf({ seq }: PingMessage): AckMessage {
    return { type: 'ack', seq, payload: this.#state.ports.ackPayload?.() ?? NO_BYTES };
  }

  /** Only members are pinged, where they are known to be: nobody sends this one's datagrams to a place of their choice. */
  request(from: Address, { node, seq, address }: PingRequestMessage): void {
    const state = this.#state;
    const target = state.table.get(node);
    if (target === undefined || !state.isLiveOther(target) || target.address !== address) return state.send(from, [{ type: 'nack', seq }]);
    if (this.#relays.size >= MAX_RELAYS) return state.notice({ type: 'dropped', what: 'relay' });
    const own = state.nextSeq();
    const { probeTimeoutMs, probeIntervalMs } = state.options;
    const times = { nackAtMs: state.nowMs + NACK_SHARE * probeTimeoutMs, endsAtMs: state.nowMs + probeIntervalMs };
    this.#relays.set(own, { to: from, seq, ...times, isNacked: false });
    const ping: Message = { type: 'ping', seq: own, node, from: state.self.name };
    state.send(target.address, [ping, ...warningFor(state, target)]);
  }

  ack({ seq, payload }: AckMessage): void {
    const relay = this.#relays.get(seq);
    if (relay === undefined) return;
    this.#relays.delete(seq);
    this.#state.send(relay.to, [{ type: 'ack', seq: relay.seq, payload }]);
  }

  tick(): void {
    const { nowMs } = this.#state;
    for (const [own, relay] of this.#relays) {
      if (!relay.isNacked && nowMs >= relay.nackAtMs) {
        relay.isNacked = true;
        this.#state.send(relay.to, [{ type: 'nack', seq: relay.seq }]);
      }
      if (nowMs >= relay.endsAtMs) this.#relays.delete(own);
    }
  }
}
