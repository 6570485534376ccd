import { AntiEntropy } from './anti-entropy.ts';
import type { BroadcastQueue } from './broadcast-queue.ts';
import { noEffects, type NodeView, type SwimEffects } from './effects.ts';
import { Gossiper } from './gossiper.ts';
import { isLive, viewOf } from './member-table.ts';
import type { Address, Message, StreamMessage } from './message.ts';
import type { SwimOptions, SwimPorts } from './options.ts';
import { Prober } from './prober.ts';
import { Relays } from './relays.ts';
import { announce, endSuspicions, hear, sayLeft } from './rumours.ts';
import { SwimState } from './state.ts';

/**
 * Membership by gossip (SWIM: Das, Gupta, Motivala 2002; Lifeguard: Dadgar, Phillips, Currey 2017), as a core without I/O.
 *
 * 1. Whoever drives it calls with messages and with time, and carries out what `takeEffects` gives, in order, after each call.
 * 2. `dueMs` says when `tick` is to be called next; later is harmless but for slower detection.
 * 3. Times are of any origin, in milliseconds, and never go back.
 * 4. A member refutes what is said of it by a higher incarnation; nobody else makes incarnations.
 */
export class Swim {
  readonly #state: SwimState;
  readonly #prober: Prober;
  readonly #relays: Relays;
  readonly #antiEntropy: AntiEntropy;
  readonly #gossiper: Gossiper;

  /** `appQueues`: rumours of the layer above, the most important queue first. */
  constructor(options: SwimOptions, ports: SwimPorts, nowMs: number, appQueues: readonly BroadcastQueue[] = []) {
    this.#state = new SwimState(options, ports, nowMs, appQueues);
    this.#prober = new Prober(this.#state);
    this.#relays = new Relays(this.#state);
    this.#antiEntropy = new AntiEntropy(this.#state);
    this.#gossiper = new Gossiper(this.#state);
    this.#state.spread(this.#state.aliveOfSelf());
  }

  get self(): NodeView {
    return viewOf(this.#state.self);
  }

  /** Score of local health; 0: well. */
  get health(): number {
    return this.#state.awareness.score;
  }

  /** Members that are alive or suspect, this one included. */
  get live(): number {
    return this.#state.table.live;
  }

  get queued(): number {
    return this.#state.rumours.size;
  }

  /** When `tick` has something to do. */
  get dueMs(): number {
    let dueMs = Math.min(this.#prober.dueMs, this.#relays.dueMs, this.#antiEntropy.dueMs, this.#gossiper.dueMs);
    for (const { suspicion } of this.#state.table.suspects) dueMs = Math.min(dueMs, suspicion?.deadlineMs ?? Infinity);
    return dueMs;
  }

  /** Everyone that is known, the dead included until they are forgotten. */
  members(): NodeView[] {
    return [...this.#state.table.nodes()].map(viewOf);
  }

  member(name: string): NodeView | undefined {
    const node = this.#state.table.get(name);
    return node === undefined ? undefined : viewOf(node);
  }

  /** Up to `count` live ones at random, without this one. */
  pick(count: number, isWanted: (node: NodeView) => boolean = () => true): NodeView[] {
    return this.#state.table.pick(count, (node) => this.#state.isLiveOther(node) && isWanted(viewOf(node))).map(viewOf);
  }

  takeEffects(): SwimEffects {
    const { effects } = this.#state;
    this.#state.effects = noEffects();
    return effects;
  }

  tick(nowMs: number): void {
    this.#advance(nowMs);
    this.#relays.tick();
    this.#prober.tick();
    endSuspicions(this.#state);
    this.#antiEntropy.tick();
    this.#gossiper.tick();
  }

  /** The messages of one datagram. */
  receive(from: Address, messages: readonly Message[], nowMs: number): void {
    this.#advance(nowMs);
    for (const message of messages) this.#handle(from, message);
  }

  /** What a peer has sent on a stream; the answer comes among the effects as a reply to `exchange`. */
  receiveStream(exchange: number, request: StreamMessage, nowMs: number): void {
    this.#advance(nowMs);
    const { replies } = this.#state.effects;
    if (request.type === 'push-pull') replies.push({ exchange, message: this.#antiEntropy.answer(request) });
    else if (request.type === 'ping' && request.node === this.#state.self.name)
      replies.push({ exchange, message: this.#relays.ackOf(request) });
    else replies.push({ exchange, message: { type: 'refused', reason: `no answer to ${request.type} here` } });
  }

  /** @returns why nothing came of it; undefined: the two are one pool now */
  streamAnswered(id: number, answer: StreamMessage, nowMs: number): string | undefined {
    this.#advance(nowMs);
    if (answer.type !== 'ack') return this.#antiEntropy.answered(id, answer);
    this.#prober.streamAck(answer);
    return undefined;
  }

  streamFailed(id: number, nowMs: number): void {
    this.#advance(nowMs);
    this.#antiEntropy.failed(id);
  }

  /** @returns the id of the stream request that decides it */
  join(address: Address, nowMs: number): number {
    this.#advance(nowMs);
    return this.#antiEntropy.begin(address, true);
  }

  /** To one address, with what rumours have room. */
  sendApp(to: Address, payload: Uint8Array, nowMs: number): void {
    this.#advance(nowMs);
    this.#state.send(to, [{ type: 'app', payload }]);
  }

  setTags(tags: Readonly<Record<string, string>>, nowMs: number): void {
    this.#advance(nowMs);
    this.#state.self.tags = tags;
    if (!this.#state.hasLeft) announce(this.#state, 0);
  }

  leave(nowMs: number): void {
    this.#advance(nowMs);
    if (!this.#state.hasLeft) sayLeft(this.#state);
  }

  /** Whether enough of the others were told that this one leaves. */
  get isLeaveSpread(): boolean {
    const { hasLeft, table, rumours, self } = this.#state;
    return hasLeft && (table.live === 0 || !rumours.has(self.name));
  }

  /** Drops a member that is dead; whatever is heard of it later makes it a newcomer. */
  forget(name: string): void {
    const node = this.#state.table.get(name);
    if (node === undefined || node === this.#state.self || isLive(node)) return;
    this.#prober.forget(node);
    this.#state.table.remove(node);
  }

  #advance(nowMs: number): void {
    this.#state.nowMs = Math.max(this.#state.nowMs, nowMs);
  }

  #handle(from: Address, message: Message): void {
    switch (message.type) {
      case 'ping':
        return this.#relays.ping(from, message);
      case 'ping-request':
        return this.#relays.request(from, message);
      case 'ack':
        this.#relays.ack(message);
        return this.#prober.ack(message);
      case 'nack':
        return this.#prober.nack(from, message);
      case 'app':
        return this.#state.event({ type: 'app', from, payload: message.payload });
      default:
        return hear(this.#state, message);
    }
  }
}
