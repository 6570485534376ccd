import { type Random, randomInteger } from '@lictor/protocol';
import { seededRandom } from '@lictor/protocol/testing';
import type { NodeView, Swim, SwimEffects } from '../swim/index.ts';
import { sizeOfPart } from '../wire/index.ts';
import { addressOf, SimCluster } from './sim-cluster.ts';
import type { SimNode } from './sim-node.ts';

export interface StormResult {
  readonly kills: number;
  readonly leaves: number;
  readonly restarts: number;
  readonly partitions: number;
  readonly updates: number;
}

const PACKET_BYTES = 400;
const STORM_MS = 60_000;
const CALM_MS = 120_000;
const STEP_MS = 1500;

/**
 * A small pool in bad weather, drawn from one seed: members crash, come back at the same address under their name or another one, leave, change
 * their tags, stand still, are cut off; datagrams are lost. Observers look at every step; then the weather ends, and all has to come right.
 *
 * @throws Error what was wrong, and when
 */
export class Storm {
  readonly #random: Random;
  readonly #cluster: SimCluster;
  readonly #totals = { kills: 0, leaves: 0, restarts: 0, partitions: 0, updates: 0 };
  /** What each member that is up has said of itself last. */
  readonly #tags = new Map<string, string>();
  readonly #left = new Set<string>();
  /** Nobody is cut off, or stands still: whoever is said to have failed has. */
  readonly #isFair: boolean;
  /** By who knows, and by who is known: the last incarnation. */
  readonly #known = new Map<SimNode, Map<string, number>>();
  #isCut = false;
  #version = 0;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
    this.#isFair = this.#random.float() < 0.5;
    const timing = { packetBytes: PACKET_BYTES, streamPings: this.#random.float() < 0.7, pushPullIntervalMs: 10_000 };
    const nodes = 5 + randomInteger(this.#random, 8);
    this.#cluster = new SimCluster({ seed, nodes, timing, network: { lossRate: this.#random.float() * 0.1, lateRate: 0.02 } });
    this.#cluster.onEffects = (node, effects) => this.#look(node, effects);
    for (const { name } of this.#cluster.nodes) this.#tags.set(name, '');
  }

  run(): StormResult {
    this.#cluster.formed(3000);
    for (let elapsedMs = 0; elapsedMs < STORM_MS; elapsedMs += STEP_MS) {
      this.#act();
      this.#cluster.time.advance(STEP_MS);
    }
    this.#calm();
    return this.#totals;
  }

  #act(): void {
    const victim = this.#cluster.up[randomInteger(this.#random, this.#cluster.up.length)];
    if (victim === undefined) return;
    const draw = this.#random.float();
    if (draw < 0.2) this.#update(victim);
    else if (draw < 0.32 && this.#cluster.up.length > 4) this.#kill(victim);
    else if (draw < 0.4 && this.#cluster.up.length > 4) this.#leave(victim);
    else if (draw < 0.6) this.#restart();
    else if (!this.#isFair && draw < 0.7) this.#partition();
    else if (!this.#isFair && draw < 0.85) victim.block(randomInteger(this.#random, 6000));
  }

  #update({ name }: SimNode): void {
    this.#totals.updates++;
    const version = String(++this.#version);
    this.#tags.set(name, version);
    this.#cluster.node(name).command((core, nowMs) => core.setTags({ version }, nowMs));
  }

  #kill({ name }: SimNode): void {
    this.#totals.kills++;
    this.#tags.delete(name);
    this.#cluster.kill(name);
  }

  #leave({ name }: SimNode): void {
    this.#totals.leaves++;
    this.#tags.delete(name);
    this.#left.add(name);
    const node = this.#cluster.node(name);
    node.command((core, nowMs) => core.leave(nowMs));
    this.#cluster.time.at(3000, () => {
      if (!node.isDown) this.#cluster.kill(name);
    });
  }

  /** At an address that is free: as who was there, as one that was elsewhere, or as a new one. */
  #restart(): void {
    const taken = new Set(this.#cluster.up.map(({ address }) => address));
    const old = this.#cluster.nodes.find(({ address }) => !taken.has(address));
    if (old === undefined) return;
    this.#totals.restarts++;
    const name = this.#nameFor(old);
    this.#tags.set(name, '');
    this.#left.delete(name);
    const to = this.#cluster.up[randomInteger(this.#random, this.#cluster.up.length)];
    const node = this.#cluster.add(name, old.address);
    if (to !== undefined) this.#joinUntilIn(node, to);
  }

  #nameFor(old: SimNode): string {
    const names = new Set(this.#cluster.up.map(({ name }) => name));
    const gone = this.#cluster.nodes.map(({ name }) => name).filter((name) => !names.has(name));
    const draw = this.#random.float();
    const wanted = draw < 0.5 ? old.name : gone[randomInteger(this.#random, gone.length)];
    return draw < 0.7 && wanted !== undefined && !names.has(wanted) ? wanted : `n${this.#cluster.nodes.length + 1}`;
  }

  #joinUntilIn(node: SimNode, to: SimNode): void {
    node.join(to.address);
    this.#cluster.time.at(5000, () => {
      const core = this.#cluster.node(node.name).core;
      if (!node.isDown && core.live === 1 && !to.isDown) this.#joinUntilIn(node, to);
    });
  }

  #partition(): void {
    this.#totals.partitions++;
    if (this.#isCut) this.#cluster.network.heal();
    else
      this.#cluster.network.partition(
        1,
        [0, 1, 2, 3].map(() => addressOf(randomInteger(this.#random, 8))),
      );
    this.#isCut = !this.#isCut;
  }

  #calm(): void {
    const { network, time } = this.#cluster;
    network.heal();
    network.calm();
    // As the layer above does with those that it takes for failed.
    const join = (): void => {
      const [first, ...others] = this.#cluster.up;
      for (const node of others) if (first !== undefined && node.core.live < this.#cluster.up.length) node.join(first.address);
    };
    for (const atMs of [7000, 40_000, 70_000]) time.at(atMs, join);
    if (!this.#cluster.until(() => this.#problem() === undefined, CALM_MS)) throw this.#error(this.#problem() ?? 'not settled');
    this.#checkQuiet();
  }

  /** What keeps the pool from being as it should. */
  #problem(): string | undefined {
    const up = new Map(this.#cluster.up.map((node) => [node.name, node]));
    for (const node of up.values()) {
      if (node.core.health > 0) return `${node.name} has not recovered its health`;
      for (const { name, state, tags } of node.core.members()) {
        if ((state === 'alive') !== up.has(name)) return `${node.name} takes ${name} for ${state}`;
        if (state === 'alive' && (tags['version'] ?? '') !== this.#tags.get(name)) return `${node.name} has old tags of ${name}`;
      }
      for (const name of up.keys()) if (node.core.member(name) === undefined) return `${node.name} does not know ${name}`;
    }
    return undefined;
  }

  /** Rumours end: a pool where nothing happens only probes. */
  #checkQuiet(): void {
    this.#cluster.time.advance(20_000);
    const before = this.#sent();
    this.#cluster.time.advance(20_000);
    const rate = (this.#sent() - before) / 20 / this.#cluster.up.length;
    if (rate > 3 || rate < 1.2) throw this.#error(`${rate.toFixed(1)} messages a second from each member of a pool where nothing happens`);
    const queued = this.#cluster.up.find(({ core }) => core.queued > 0);
    if (queued !== undefined) throw this.#error(`${queued.name} still has rumours`);
  }

  #sent(): number {
    return this.#cluster.up.reduce((sum, { traffic }) => sum + traffic.messages, 0);
  }

  #look(node: SimNode, { datagrams, events }: SwimEffects): void {
    for (const { messages } of datagrams) {
      const bytes = messages.reduce((sum, message) => sum + sizeOfPart(message), 0);
      if (bytes > PACKET_BYTES) throw this.#error(`${node.name} sends a datagram of ${bytes} bytes`);
    }
    for (const event of events) {
      if (event.type === 'failed') this.#checkFailed(node.name, event.node.name);
      if ('node' in event && event.type !== 'rtt') this.#checkIncarnation(node, event.node);
    }
  }

  #checkFailed(by: string, name: string): void {
    if (!this.#isFair) return;
    const isUp = this.#cluster.up.some((node) => node.name === name);
    if (isUp && !this.#left.has(name) && !this.#wasDown(name)) throw this.#error(`${by} takes ${name} for dead, which is there`);
  }

  /** The old life of one that is there again may still be buried. */
  #wasDown(name: string): boolean {
    return this.#cluster.nodes.some((node) => node.name === name && node.isDown);
  }

  /** Nobody but a member itself makes its incarnations, and nobody goes back to an older one. */
  #checkIncarnation(by: SimNode, { name, incarnation, address }: NodeView): void {
    const lives = this.#cluster.nodes.filter((node) => node.name === name);
    const highest = Math.max(...lives.map(({ core }: { readonly core: Swim }) => core.self.incarnation));
    if (incarnation > highest) throw this.#error(`incarnation ${incarnation} of ${name}, which has said ${highest} at most`);
    const known = this.#known.get(by) ?? new Map<string, number>();
    this.#known.set(by, known);
    // One that has moved may begin anew.
    const key = `${name} ${address}`;
    if (incarnation < (known.get(key) ?? 0)) throw this.#error(`${by.name} goes back to incarnation ${incarnation} of ${name}`);
    known.set(key, incarnation);
  }

  #error(what: string): Error {
    return new Error(`at ${Math.round(this.#cluster.time.nowMs)} ms: ${what}`);
  }
}
