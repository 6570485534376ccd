import type { Random } from '@lictor/protocol';
import { seededRandom } from '@lictor/protocol/testing';
import { LAN_TIMING } from '../profiles.ts';
import {
  type Address,
  DEFAULT_SWIM_LIMITS,
  type Message,
  type NodeState,
  PROTOCOL_VERSIONS,
  type StreamMessage,
  Swim,
  type SwimEffects,
  type SwimOptions,
  type SwimTiming,
} from '../swim/index.ts';
import { sizeOfPart } from '../wire/index.ts';
import type { SimCore } from './sim-core.ts';
import { FAST_NETWORK, type NetworkOptions, SimNetwork } from './sim-network.ts';
import { type NodeWorld, SimNode } from './sim-node.ts';
import { VirtualTime } from './virtual-time.ts';

export interface SimOptions<Core extends SimCore> {
  readonly seed: number;
  readonly nodes: number;
  readonly network?: Partial<NetworkOptions>;
  readonly timing?: Partial<SwimTiming>;
  /** Another core than SWIM alone. */
  readonly makeCore?: (options: SwimOptions, random: Random, nowMs: number) => Core;
}

/** What one node has said of another. */
export interface Observation {
  readonly atMs: number;
  readonly by: string;
  readonly type: 'join' | 'leave' | 'failed' | 'update' | 'conflict';
  readonly node: string;
}

export function addressOf(position: number): Address {
  return `10.0.${Math.floor(position / 250)}.${(position % 250) + 1}:8301`;
}

/** Cores on virtual time and a virtual network: the same seed, the same story. */
export class SimCluster<Core extends SimCore = Swim> {
  readonly time = new VirtualTime();
  readonly random: Random;
  readonly network: SimNetwork;
  readonly nodes: SimNode<Core>[] = [];
  readonly observations: Observation[] = [];
  readonly notices = new Map<string, number>();
  onEffects: ((node: SimNode, effects: SwimEffects) => void) | undefined;
  readonly #byAddress = new Map<Address, SimNode<Core>>();
  readonly #options: SimOptions<Core>;
  readonly #world: NodeWorld;

  constructor(options: SimOptions<Core>) {
    this.#options = options;
    this.random = seededRandom(options.seed);
    this.network = new SimNetwork(this.time, this.random, { ...FAST_NETWORK, ...options.network });
    this.#world = this.#makeWorld();
    for (let position = 0; position < options.nodes; position++) this.add(`n${position + 1}`, addressOf(position));
  }

  add(name: string, address: Address, more: Partial<SwimOptions> = {}): SimNode<Core> {
    const options: SwimOptions = {
      ...LAN_TIMING,
      ...DEFAULT_SWIM_LIMITS,
      ...this.#options.timing,
      name,
      id: `id-of-${name}`,
      address,
      tags: {},
      versions: PROTOCOL_VERSIONS,
      ...more,
    };
    const random = seededRandom(Math.floor(this.random.float() * 2 ** 32));
    const make = this.#options.makeCore ?? makeSwim<Core>;
    const node = new SimNode(name, address, make(options, random, this.time.nowMs), this.#world);
    this.nodes.push(node);
    this.#byAddress.set(address, node);
    return node;
  }

  node(name: string): SimNode<Core> {
    const node = this.nodes.findLast((candidate) => candidate.name === name);
    if (node === undefined) throw new Error(`no node ${name}`);
    return node;
  }

  /** All join the first one, one after the other, and get to know each other. */
  formed(settleMs = 5000): this {
    const [first, ...others] = this.nodes;
    if (first === undefined) return this;
    for (const node of others) {
      node.join(first.address);
      this.time.advance(20);
    }
    this.time.advance(settleMs);
    return this;
  }

  /** Ends without a word, as a power cut does. */
  kill(name: string): void {
    this.node(name).isDown = true;
  }

  get up(): SimNode<Core>[] {
    return this.nodes.filter(({ isDown }) => !isDown);
  }

  /** Advances until it holds, or gives up. */
  until(isTrue: () => boolean, limitMs: number, stepMs = 50): boolean {
    const endMs = this.time.nowMs + limitMs;
    while (!isTrue() && this.time.nowMs < endMs) this.time.advance(stepMs);
    return isTrue();
  }

  /** Members that were said to have failed while they were up. */
  falsePositives(sinceMs = 0): Observation[] {
    const down = new Set(this.nodes.filter(({ isDown }) => isDown).map(({ name }) => name));
    return this.observations.filter(({ type, node, atMs }) => type === 'failed' && atMs >= sinceMs && !down.has(node));
  }

  #makeWorld(): NodeWorld {
    return {
      time: this.time,
      sizeOf: sizeOfPart,
      sendDatagram: (from, to, messages) => this.#datagram(from, to, messages),
      openStream: (from, to, message, timeoutMs, done) => this.#stream(from, to, message, timeoutMs, done),
      observe: (node, effects) => this.#observe(node, effects),
    };
  }

  #datagram(from: Address, to: Address, messages: readonly Message[]): void {
    this.network.datagram(from, to, () => this.#byAddress.get(to)?.deliver(from, messages));
  }

  #stream(from: Address, to: Address, message: StreamMessage, timeoutMs: number, done: (answer: StreamMessage | undefined) => void): void {
    let isOver = false;
    const finish = (answer: StreamMessage | undefined): void => {
      if (!isOver) done(answer);
      isOver = true;
    };
    this.time.at(timeoutMs, () => finish(undefined));
    const target = this.#byAddress.get(to);
    const reply = (answer: StreamMessage): void =>
      this.network.stream(
        to,
        from,
        () => finish(answer),
        () => finish(undefined),
      );
    const arrive = (): void => {
      if (target === undefined || target.isDown) finish(undefined);
      else target.deliverStream(message, reply);
    };
    this.network.stream(from, to, arrive, () => finish(undefined));
  }

  #observe(node: SimNode, effects: SwimEffects): void {
    for (const event of effects.events) {
      if (event.type === 'app' || event.type === 'app-state' || event.type === 'rtt') continue;
      const about = event.type === 'conflict' ? event.claim.node : event.node.name;
      this.observations.push({ atMs: this.time.nowMs, by: node.name, type: event.type, node: about });
    }
    for (const { type } of effects.notices) this.notices.set(type, (this.notices.get(type) ?? 0) + 1);
    this.onEffects?.(node, effects);
  }
}

/** Whether everyone who is up takes exactly those who are up for alive. */
export function isConverged(cluster: SimCluster): boolean {
  const names = new Set(cluster.up.map(({ name }) => name));
  return cluster.up.every(({ core }) => {
    const alive = core.members().filter(({ state }) => state === 'alive');
    return alive.length === names.size && alive.every(({ name }) => names.has(name));
  });
}

export function stateAt(cluster: SimCluster, by: string, name: string): NodeState | undefined {
  return cluster.node(by).core.member(name)?.state;
}

/** `Core` is `Swim` wherever no other is given. */
function makeSwim<Core extends SimCore>(options: SwimOptions, random: Random, nowMs: number): Core {
  const core: SimCore = new Swim(options, { random, sizeOf: sizeOfPart }, nowMs);
  return core as Core;
}
