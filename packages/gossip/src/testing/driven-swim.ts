import { seededRandom } from '@lictor/protocol/testing';
import { LAN_TIMING } from '../profiles.ts';
import {
  type Address,
  type AliveMessage,
  DEFAULT_SWIM_LIMITS,
  type Message,
  type NodeState,
  type Notice,
  PROTOCOL_VERSIONS,
  type PushPullMessage,
  type StreamMessage,
  type StreamReply,
  type StreamRequest,
  Swim,
  type SwimEvent,
  type SwimOptions,
  type SwimPorts,
} from '../swim/index.ts';
import { sizeOfPart } from '../wire/index.ts';

export interface Sent {
  readonly to: Address;
  readonly message: Message;
  readonly atMs: number;
}

/** `b` lives at 10.0.0.98:8301, as its letter's number is. */
export function home(name: string): Address {
  return `10.0.0.${name.charCodeAt(0)}:8301`;
}

export function aliveOf(name: string, more: Partial<AliveMessage> = {}): AliveMessage {
  return {
    type: 'alive',
    node: name,
    incarnation: 1,
    id: `id-${name}`,
    address: home(name),
    tags: {},
    versions: PROTOCOL_VERSIONS,
    ...more,
  };
}

/** One core, `a`, in the hands of a test, which plays all others. */
export class DrivenSwim {
  readonly core: Swim;
  nowMs = 0;
  sent: Sent[] = [];
  packets: { readonly to: Address; readonly messages: readonly Message[] }[] = [];
  events: SwimEvent[] = [];
  notices: Notice[] = [];
  streams: StreamRequest[] = [];
  replies: StreamReply[] = [];

  constructor(
    options: Partial<SwimOptions> & { readonly peers?: readonly string[]; readonly seed?: number } = {},
    ports: Partial<SwimPorts> = {},
  ) {
    const { peers = [], seed = 1, ...more } = options;
    const own = { name: 'a', id: 'id-a', address: home('a'), tags: {}, versions: PROTOCOL_VERSIONS };
    const complete = { ...LAN_TIMING, ...DEFAULT_SWIM_LIMITS, ...own, ...more };
    this.core = new Swim(complete, { random: seededRandom(seed), sizeOf: sizeOfPart, ...ports }, 0);
    for (const peer of peers) this.hear(aliveOf(peer));
    this.forget();
  }

  /** Effects so far are none of the test's business. */
  forget(): this {
    this.#take();
    this.sent = [];
    this.packets = [];
    this.events = [];
    this.notices = [];
    this.streams = [];
    this.replies = [];
    return this;
  }

  hear(message: Message, from: Address = home('b')): this {
    this.core.receive(from, [message], this.nowMs);
    return this.#take();
  }

  /** Time passes, and the core wakes whenever it wants. */
  pass(durationMs: number): this {
    const endMs = this.nowMs + durationMs;
    while (this.core.dueMs <= endMs) {
      this.nowMs = Math.max(this.nowMs, this.core.dueMs);
      this.core.tick(this.nowMs);
      this.#take();
    }
    this.nowMs = endMs;
    return this;
  }

  /** Until one of these was sent to `name`. */
  passUntilSent(type: Message['type'], limitMs = 60_000): Sent {
    const endMs = this.nowMs + limitMs;
    for (;;) {
      const found = this.all(type)[0];
      if (found !== undefined) return found;
      if (this.core.dueMs > endMs) throw new Error(`no ${type} was sent`);
      this.nowMs = Math.max(this.nowMs, this.core.dueMs);
      this.core.tick(this.nowMs);
      this.#take();
    }
  }

  join(address: Address): StreamRequest {
    this.core.join(address, this.nowMs);
    this.#take();
    const request = this.streams.at(-1);
    if (request === undefined) throw new Error('no stream');
    return request;
  }

  pushPull(message: Partial<PushPullMessage>): StreamMessage | undefined {
    this.core.receiveStream(1, { type: 'push-pull', from: 'b', join: false, members: [], app: new Uint8Array(0), ...message }, this.nowMs);
    this.#take();
    return this.replies.at(-1)?.message;
  }

  all<Type extends Message['type']>(type: Type): (Sent & { readonly message: Extract<Message, { type: Type }> })[] {
    return this.sent.filter((sent): sent is Sent & { readonly message: Extract<Message, { type: Type }> } => sent.message.type === type);
  }

  state(name: string): NodeState | undefined {
    return this.core.member(name)?.state;
  }

  happened(): string[] {
    return this.events.flatMap((event) => ('node' in event && event.type !== 'rtt' ? [`${event.type} ${event.node.name}`] : []));
  }

  #take(): this {
    const { datagrams, streams, replies, events, notices } = this.core.takeEffects();
    for (const { to, messages } of datagrams) {
      this.packets.push({ to, messages });
      for (const message of messages) this.sent.push({ to, message, atMs: this.nowMs });
    }
    this.streams.push(...streams);
    this.replies.push(...replies);
    this.events.push(...events);
    this.notices.push(...notices);
    return this;
  }
}
