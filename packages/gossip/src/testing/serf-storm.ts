import { type Random, randomInteger } from '@lictor/protocol';
import { seededRandom } from '@lictor/protocol/testing';
import type { Serf } from '../serf/index.ts';
import { SerfCluster } from './serf-cluster.ts';
import type { SimNode } from './sim-node.ts';

const STORM_MS = 120_000;
const CALM_MS = 20 * 60_000;
const STEP_MS = 2500;

/**
 * A small pool with serf's layer in bad weather: members crash, leave, come back, are cut off, and operators force them out, also those who are there.
 * Then the weather ends; without anybody's help all have to agree on who is there, and everyone must have heard every event at most once.
 *
 * @throws Error what was wrong
 */
export class SerfStorm {
  readonly #random: Random;
  readonly #cluster: SerfCluster;
  #events = 0;
  #isCut = false;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
    const nodes = 4 + randomInteger(this.#random, 6);
    const network = { lossRate: this.#random.float() * 0.2, lateRate: 0.02 };
    this.#cluster = new SerfCluster({ seed, nodes, network, serf: { pushPullIntervalMs: 15_000, reconnectIntervalMs: 5000 } });
  }

  /** @returns how many user events there were */
  run(): number {
    this.#cluster.formed();
    for (let elapsedMs = 0; elapsedMs < STORM_MS; elapsedMs += STEP_MS) {
      this.#act();
      this.#cluster.pass(STEP_MS);
    }
    this.#cluster.sim.network.heal();
    this.#cluster.sim.network.calm();
    this.#introduce();
    if (!this.#cluster.sim.until(() => this.#problem() === undefined, CALM_MS, 1000)) throw this.#error(this.#problem() ?? 'not settled');
    this.#checkEvents();
    const talks = (): SimNode<Serf> | undefined =>
      this.#cluster.sim.up.find(({ core }) => core.figures().queues.intents + core.figures().queues.events > 0);
    if (!this.#cluster.sim.until(() => talks() === undefined, 3 * 60_000, 500))
      throw this.#error(`${talks()?.name} still has something to tell`);
    return this.#events;
  }

  /** Those whose acquaintances have all left are found by nobody: as agents do that begin, they ask again. */
  #introduce(): void {
    const up = this.#cluster.sim.up.filter(({ core }) => core.departure === 'present');
    const [first] = up;
    if (first === undefined) return;
    const knows = (one: SimNode<Serf>, other: SimNode<Serf>): boolean =>
      one.core.member(other.name)?.status !== undefined && one.core.member(other.name)?.status !== 'left';
    const found = new Set([first]);
    for (const one of found) for (const other of up) if (knows(one, other) && knows(other, one)) found.add(other);
    for (const node of up) if (!found.has(node)) node.join(first.address);
  }

  #act(): void {
    const { up } = this.#cluster.sim;
    const here = up.filter(({ core }) => core.departure === 'present');
    const [one, other] = [this.#one(here), this.#one(up)];
    if (one === undefined || other === undefined) return;
    const draw = this.#random.float();
    if (draw < 0.2) this.#userEvent(one);
    else if (draw < 0.3 && here.length > 3) this.#cluster.sim.kill(one.name);
    else if (draw < 0.4 && here.length > 3) this.#leave(one);
    else if (draw < 0.6) this.#restart(one);
    else if (draw < 0.7) this.#forceLeave(one, other.name);
    else if (draw < 0.8) this.#forceLeave(one, this.#one(this.#cluster.sim.nodes)?.name ?? other.name);
    else if (draw < 0.9) this.#cut();
  }

  #one<T>(items: readonly T[]): T | undefined {
    return items[randomInteger(this.#random, items.length)];
  }

  #userEvent({ name }: SimNode<Serf>): void {
    const number = ++this.#events;
    this.#cluster.do(name, (core, nowMs) => core.userEvent(`event-${number}`, new Uint8Array(0), false, nowMs));
  }

  #leave(node: SimNode<Serf>): void {
    this.#cluster.do(node.name, (core, nowMs) => core.leave(nowMs));
    const end = (): void => {
      if (node.core.departure === 'gone') node.isDown = true;
      else this.#cluster.sim.time.at(500, end);
    };
    this.#cluster.sim.time.at(500, end);
  }

  #forceLeave(by: SimNode<Serf>, name: string): void {
    const prune = this.#random.float() < 0.5;
    this.#cluster.do(by.name, (core, nowMs) => core.forceLeave(name, prune, nowMs));
  }

  #restart(to: SimNode<Serf>): void {
    const taken = new Set(this.#cluster.sim.up.map(({ address }) => address));
    const old = this.#one(this.#cluster.sim.nodes.filter(({ address, isDown }) => isDown && !taken.has(address)));
    if (old === undefined) return;
    this.#cluster.heard.delete(old.name);
    const node = this.#cluster.sim.add(old.name, old.address);
    const join = (): void => {
      if (node.isDown || node.core.members().length > 1) return;
      node.join(to.isDown ? (this.#cluster.sim.up.find((other) => other !== node)?.address ?? to.address) : to.address);
      this.#cluster.sim.time.at(5000, join);
    };
    join();
  }

  #cut(): void {
    const { network, nodes } = this.#cluster.sim;
    if (this.#isCut) network.heal();
    else network.partition(1, [this.#one(nodes)?.address ?? '', this.#one(nodes)?.address ?? '']);
    this.#isCut = !this.#isCut;
  }

  #problem(): string | undefined {
    const { up } = this.#cluster.sim;
    const names = new Set(up.map(({ name }) => name));
    for (const { name: by, core } of up) {
      if (core.departure !== 'present') return `${by} is still leaving`;
      for (const name of names)
        if (core.member(name)?.status !== 'alive') return `${by} takes ${name}, which is there, for ${core.member(name)?.status}`;
      for (const { name, status } of core.members())
        if (!names.has(name) && (status === 'alive' || status === 'leaving')) return `${by} takes ${name}, which is gone, for ${status}`;
    }
    return undefined;
  }

  #checkEvents(): void {
    for (const { name } of this.#cluster.sim.up) {
      const heard = this.#cluster.events(name).flatMap((event) => (event.type === 'user-event' ? [event.event.name] : []));
      if (new Set(heard).size !== heard.length) throw this.#error(`${name} has heard an event twice: ${heard.join(' ')}`);
    }
  }

  #error(what: string): Error {
    return new Error(`at ${Math.round(this.#cluster.sim.time.nowMs)} ms: ${what}`);
  }
}
