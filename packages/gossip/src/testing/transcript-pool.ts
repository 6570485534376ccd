import type { Random } from '@lictor/protocol';
import { LAN_TIMING } from '../profiles.ts';
import {
  type Address,
  DEFAULT_SWIM_LIMITS,
  type Message,
  PROTOCOL_VERSIONS,
  type StreamMessage,
  Swim,
  type SwimEffects,
  type SwimOptions,
} from '../swim/index.ts';
import { sizeOfPart } from '../wire/index.ts';
import { aliveOf, home } from './driven-swim.ts';
import { TranscriptFormat } from './transcript-format.ts';

/** Members are probed and picked in the order of the alphabet, and everything begins one interval after the start. */
const NO_CHANCE: Random = { float: () => 1 - 2 ** -53, bytes: (length) => new Uint8Array(length) };

/** Something on its way. */
export interface Parcel {
  readonly from: string;
  readonly to: string;
  readonly text: string;
  readonly types: readonly string[];
  readonly arrive: (core: Swim, nowMs: number) => void;
  /** For streams: what the sender hears when it does not arrive. */
  readonly fail?: () => void;
}

interface Place {
  readonly name: string;
  readonly core: Swim;
}

/** Cores in the hands of a transcript: nothing arrives unless it says so. */
export class TranscriptPool {
  readonly #places = new Map<string, Place>();
  readonly #format = new TranscriptFormat((address) => this.#houseOf(address));
  #parcels: Parcel[] = [];
  #lines: string[] = [];
  #nowMs = 0;
  #exchange = 0;
  readonly #replies = new Map<number, (answer: StreamMessage) => void>();

  get houses(): string[] {
    return [...this.#places.keys()];
  }

  takeLines(): string[] {
    const lines = this.#lines;
    this.#lines = [];
    return lines;
  }

  /** `house`: where it lives, a letter; `name` is the same unless another one is given. */
  add(house: string, options: Partial<SwimOptions>, known: readonly string[]): void {
    const name = options.name ?? house;
    const own = { name, id: `id-${name}`, address: home(house), tags: {}, versions: PROTOCOL_VERSIONS };
    const complete = { ...LAN_TIMING, ...DEFAULT_SWIM_LIMITS, ...own, ...options };
    const core = new Swim(complete, { random: NO_CHANCE, sizeOf: sizeOfPart }, this.#nowMs);
    this.#places.set(house, { name, core });
    core.receive(
      home(house),
      known.filter((other) => other !== house).map((other) => aliveOf(other)),
      this.#nowMs,
    );
    core.takeEffects();
  }

  /** Rumours of the beginning are worn out. */
  calm(): void {
    for (const { core } of this.#places.values()) {
      for (let round = 0; round < 50 && core.queued > 0; round++) {
        core.receive(home('z'), [{ type: 'ping', seq: 0, node: core.self.name, from: 'nobody' }], this.#nowMs);
        core.takeEffects();
      }
    }
  }

  act(house: string, act: (core: Swim, nowMs: number) => void): void {
    act(this.#place(house).core, this.#nowMs);
    this.#take(house);
  }

  /** `settles`: whatever is on its way arrives at once. */
  wait(ms: number, houses: readonly string[], settles = false): void {
    const endMs = this.#nowMs + ms;
    for (;;) {
      const next = houses
        .map((house) => ({ house, dueMs: Math.max(this.#nowMs, this.#place(house).core.dueMs) }))
        .reduce((one, other) => (other.dueMs < one.dueMs ? other : one));
      if (next.dueMs > endMs) break;
      this.#nowMs = next.dueMs;
      this.act(next.house, (core, nowMs) => core.tick(nowMs));
      if (settles) this.settle();
    }
    this.#nowMs = endMs;
  }

  deliver(isMeant: (parcel: Parcel) => boolean): void {
    const [now, later] = [this.#parcels.filter(isMeant), this.#parcels.filter((parcel) => !isMeant(parcel))];
    this.#parcels = later;
    for (const parcel of now) this.#arrive(parcel);
  }

  lose(isMeant: (parcel: Parcel) => boolean): void {
    const lost = this.#parcels.filter(isMeant);
    this.#parcels = this.#parcels.filter((parcel) => !isMeant(parcel));
    for (const { from, to, text, fail } of lost) {
      this.#lines.push(`${from}->${to} is lost: ${text}`);
      fail?.();
    }
  }

  settle(): void {
    for (let round = 0; round < 1000 && this.#parcels.length > 0; round++) {
      const [parcel] = this.#parcels.splice(0, 1);
      if (parcel !== undefined) this.#arrive(parcel);
    }
  }

  crash(house: string): void {
    this.#places.delete(house);
  }

  status(houses: readonly string[]): void {
    for (const house of houses) {
      const { core } = this.#place(house);
      const members = core.members().map(({ name, incarnation, state }) => `${name}.${incarnation} ${state}`);
      this.#lines.push(`${house}: ${members.toSorted().join(', ')}; health ${core.health}`);
    }
  }

  #arrive({ from, to, text, arrive, fail }: Parcel): void {
    this.#lines.push(`${from}->${to} ${text}`);
    const place = this.#places.get(to);
    if (place !== undefined) return this.act(to, arrive);
    this.#lines.push(`  nobody is at ${to}`);
    fail?.();
  }

  #take(house: string): void {
    const effects = this.#place(house).core.takeEffects();
    for (const notice of effects.notices) this.#note(house, this.#format.notice(notice));
    for (const event of effects.events) this.#note(house, this.#format.event(event));
    for (const { to, messages } of effects.datagrams) this.#post(house, to, messages);
    for (const { exchange, message } of effects.replies) this.#replies.get(exchange)?.(message);
    for (const stream of effects.streams) this.#open(house, stream);
  }

  #note(house: string, line: string | undefined): void {
    if (line !== undefined) this.#lines.push(`  ${house} ${line}`);
  }

  #post(from: string, address: Address, messages: readonly Message[]): void {
    const to = this.#houseOf(address);
    const text = messages.map((message) => this.#format.message(message)).join(', ');
    this.#lines.push(`  ${from} sends ${to} ${text}`);
    const arrive = (core: Swim, nowMs: number): void => core.receive(home(from), messages, nowMs);
    this.#parcels.push({ from, to, text, types: messages.map(({ type }) => type), arrive });
  }

  #open(from: string, { id, to: address, message }: SwimEffects['streams'][number]): void {
    const to = this.#houseOf(address);
    const text = this.#format.stream(message);
    this.#lines.push(`  ${from} asks ${to} ${text}`);
    const fail = (): void => {
      if (this.#places.has(from)) this.act(from, (core, nowMs) => core.streamFailed(id, nowMs));
    };
    const arrive = (core: Swim, nowMs: number): void => {
      const exchange = ++this.#exchange;
      this.#replies.set(exchange, (answer) => this.#answer(to, from, id, answer));
      core.receiveStream(exchange, message, nowMs);
    };
    this.#parcels.push({ from, to, text, types: [message.type, 'stream'], arrive, fail });
  }

  #answer(from: string, to: string, id: number, answer: StreamMessage): void {
    const text = this.#format.stream(answer);
    this.#lines.push(`  ${from} answers ${to} ${text}`);
    const arrive = (core: Swim, nowMs: number): void => {
      const reason = core.streamAnswered(id, answer, nowMs);
      if (reason !== undefined) this.#lines.push(`  ${to} does not join: ${reason}`);
    };
    this.#parcels.push({ from, to, text, types: [answer.type, 'stream'], arrive });
  }

  #houseOf(address: Address): string {
    return String.fromCharCode(Number(/\.(\d+):/.exec(address)?.[1] ?? '63'));
  }

  #place(house: string): Place {
    const place = this.#places.get(house);
    if (place === undefined) throw new Error(`nobody at ${house}`);
    return place;
  }
}
