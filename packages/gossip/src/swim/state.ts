import { assert, randomInteger } from '@lictor/protocol';
import { Awareness } from './awareness.ts';
import { BroadcastQueue, MAX_PIGGYBACKED } from './broadcast-queue.ts';
import { ConflictMemory } from './conflict-memory.ts';
import { noEffects, type Notice, type PendingEffects, type SwimEvent } from './effects.ts';
import { isLive, MemberTable, type Node, viewOf } from './member-table.ts';
import type { Address, AliveMessage, Message, Rumour, StreamMessage } from './message.ts';
import type { SwimOptions, SwimPorts } from './options.ts';
import { retransmitLimit } from './scale.ts';

const MAX_SEQ = 2 ** 32;

/** What all parts of the core share: the table, the rumours that wait, the effects that pile up. */
export class SwimState {
  readonly options: SwimOptions;
  readonly ports: SwimPorts;
  readonly table: MemberTable;
  readonly rumours: BroadcastQueue;
  readonly awareness: Awareness;
  readonly conflicts = new ConflictMemory();
  /** Of the layer above; they ride in what room the rumours leave. */
  readonly appQueues: readonly BroadcastQueue[];
  readonly self: Node;
  effects: PendingEffects = noEffects();
  nowMs: number;
  /** It has said that it leaves, and refutes nothing any more. */
  hasLeft = false;
  #seq: number;

  constructor(options: SwimOptions, ports: SwimPorts, nowMs: number, appQueues: readonly BroadcastQueue[] = []) {
    this.options = options;
    this.ports = ports;
    this.nowMs = nowMs;
    this.appQueues = appQueues;
    this.table = new MemberTable(ports.random);
    this.rumours = new BroadcastQueue(options.maxQueued);
    this.awareness = new Awareness(options.awarenessMax);
    this.#seq = randomInteger(ports.random, MAX_SEQ);
    const { name, address, tags, versions } = options;
    this.self = { name, id: '', address, tags, versions, incarnation: 1, state: 'alive', changedMs: nowMs, suspicion: undefined };
    this.table.add(this.self);
    this.table.setId(this.self, options.id);
  }

  nextSeq(): number {
    this.#seq = (this.#seq + 1) % MAX_SEQ;
    return this.#seq;
  }

  emit(type: 'join' | 'leave' | 'failed' | 'update', node: Node): void {
    this.event({ type, node: viewOf(node) });
  }

  event(event: SwimEvent): void {
    this.effects.events.push(event);
  }

  notice(notice: Notice): void {
    this.effects.notices.push(notice);
  }

  changeHealth(delta: number): void {
    if (this.awareness.add(delta)) this.notice({ type: 'health', score: this.awareness.score });
  }

  spread(rumour: Rumour): void {
    if (this.rumours.push(rumour, this.ports.sizeOf(rumour), rumour.node)) this.notice({ type: 'dropped', what: 'rumour' });
  }

  /** Sends `messages`, and with them as many rumours as have room. */
  send(to: Address, messages: readonly Message[]): void {
    let leftBytes = this.options.packetBytes;
    for (const message of messages) leftBytes -= this.ports.sizeOf(message);
    this.effects.datagrams.push({ to, messages: [...messages, ...this.takeRumours(leftBytes)] });
  }

  takeRumours(budgetBytes: number): Message[] {
    const limit = retransmitLimit(this.options.retransmitMult, this.table.live);
    const taken: Message[] = [];
    let leftBytes = budgetBytes;
    for (const queue of [this.rumours, ...this.appQueues]) {
      if (queue.size === 0) continue;
      const messages = queue.take(leftBytes, limit, MAX_PIGGYBACKED - taken.length);
      for (const message of messages) leftBytes -= this.ports.sizeOf(message);
      taken.push(...messages);
    }
    return taken;
  }

  get hasRumours(): boolean {
    return this.rumours.size > 0 || this.appQueues.some(({ size }) => size > 0);
  }

  request(id: number, to: Address, message: StreamMessage): void {
    this.effects.streams.push({ id, to, message, timeoutMs: this.options.streamTimeoutMs });
  }

  isOther(node: Node): boolean {
    return node !== this.self;
  }

  isLiveOther(node: Node): boolean {
    return node !== this.self && isLive(node);
  }

  aliveOfSelf(): AliveMessage {
    const { name, incarnation, id, address, tags, versions } = this.self;
    assert(!this.hasLeft, 'one that has left says no more that it is there');
    return { type: 'alive', node: name, incarnation, id, address, tags, versions };
  }
}
