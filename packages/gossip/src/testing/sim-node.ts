import type { Address, Message, StreamMessage, SwimEffects } from '../swim/index.ts';
import type { SimCore, Traffic } from './sim-core.ts';
import type { VirtualTime } from './virtual-time.ts';

/** What a node does to the others. */
export interface NodeWorld {
  readonly time: VirtualTime;
  sendDatagram(from: Address, to: Address, messages: readonly Message[]): void;
  openStream(
    from: Address,
    to: Address,
    message: StreamMessage,
    timeoutMs: number,
    done: (answer: StreamMessage | undefined) => void,
  ): void;
  sizeOf(message: Message): number;
  observe(node: SimNode, effects: SwimEffects): void;
}

/** What waits in a socket that is not read. */
const MAX_INBOX = 4096;

/** A core, and the process around it: which may stand still, and then finds everything that came meanwhile at once. */
export class SimNode<Core extends SimCore = SimCore> {
  readonly name: string;
  readonly address: Address;
  readonly core: Core;
  readonly traffic: Traffic = { datagrams: 0, messages: 0, bytes: 0, streams: 0 };
  isDown = false;
  readonly #world: NodeWorld;
  #blockedUntilMs = 0;
  readonly #inbox: (() => void)[] = [];
  #wakeMs = Infinity;
  #exchange = 0;
  readonly #replies = new Map<number, (answer: StreamMessage) => void>();

  constructor(name: string, address: Address, core: Core, world: NodeWorld) {
    this.name = name;
    this.address = address;
    this.core = core;
    this.#world = world;
    this.settle();
  }

  get isBlocked(): boolean {
    return this.#blockedUntilMs > this.#world.time.nowMs;
  }

  /** Stands still: reads nothing, sends nothing, and its timers fire late. */
  block(durationMs: number): void {
    const { time } = this.#world;
    this.#blockedUntilMs = time.nowMs + durationMs;
    time.at(durationMs, () => this.#unblock());
  }

  deliver(from: Address, messages: readonly Message[]): void {
    this.#act(() => this.core.receive(from, messages, this.#world.time.nowMs));
  }

  deliverStream(request: StreamMessage, reply: (answer: StreamMessage) => void): void {
    this.#act(() => {
      const exchange = ++this.#exchange;
      this.#replies.set(exchange, reply);
      this.core.receiveStream(exchange, request, this.#world.time.nowMs);
    });
  }

  join(address: Address): void {
    this.#act(() => void this.core.join(address, this.#world.time.nowMs));
  }

  /** Anything else that is done to the core. */
  command(act: (core: Core, nowMs: number) => void): void {
    this.#act(() => act(this.core, this.#world.time.nowMs));
  }

  /** Carries out what the core wants, and sets its alarm. */
  settle(): void {
    const effects = this.core.takeEffects();
    this.#world.observe(this, effects);
    for (const { to, messages } of effects.datagrams) {
      this.traffic.datagrams++;
      this.traffic.messages += messages.length;
      for (const message of messages) this.traffic.bytes += this.#world.sizeOf(message);
      this.#world.sendDatagram(this.address, to, messages);
    }
    for (const { exchange, message } of effects.replies) {
      this.#replies.get(exchange)?.(message);
      this.#replies.delete(exchange);
    }
    for (const { id, to, message, timeoutMs } of effects.streams) {
      this.traffic.streams++;
      this.#world.openStream(this.address, to, message, timeoutMs, (answer) => this.#answered(id, answer));
    }
    this.#setAlarm();
  }

  #answered(id: number, answer: StreamMessage | undefined): void {
    this.#act(() => {
      const { nowMs } = this.#world.time;
      if (answer === undefined) this.core.streamFailed(id, nowMs);
      else this.core.streamAnswered(id, answer, nowMs);
    });
  }

  #act(act: () => void): void {
    if (this.isDown) return;
    if (this.isBlocked) {
      if (this.#inbox.length < MAX_INBOX) this.#inbox.push(act);
      return;
    }
    act();
    this.settle();
  }

  /** Timers come before sockets: the worst order there is. */
  #unblock(): void {
    if (this.isDown || this.isBlocked) return;
    this.#wakeMs = Infinity;
    this.#tick();
    for (const act of this.#inbox.splice(0)) this.#act(act);
  }

  #setAlarm(): void {
    const { dueMs } = this.core;
    const { time } = this.#world;
    if (dueMs >= this.#wakeMs || dueMs === Infinity) return;
    this.#wakeMs = dueMs;
    time.at(Math.max(0, dueMs - time.nowMs), () => {
      if (this.#wakeMs !== dueMs || this.isBlocked) return;
      this.#wakeMs = Infinity;
      this.#tick();
    });
  }

  #tick(): void {
    if (this.isDown) return;
    this.core.tick(this.#world.time.nowMs);
    this.settle();
  }
}
