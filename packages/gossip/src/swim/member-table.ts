import { type Random, randomInteger, shuffle } from '@lictor/protocol';
import type { NodeView } from './effects.ts';
import type { Address, MemberRecord, NodeState, Versions } from './message.ts';
import type { Suspicion } from './suspicion.ts';

export interface Node {
  readonly name: string;
  id: string;
  address: Address;
  tags: Readonly<Record<string, string>>;
  versions: Versions;
  incarnation: number;
  state: NodeState;
  /** Of the state. */
  changedMs: number;
  /** While, and only while, it is suspect. */
  suspicion: Suspicion | undefined;
}

/** Nodes in the order in which they are probed, and found by name and by id. */
export class MemberTable {
  readonly #random: Random;
  readonly #byName = new Map<string, Node>();
  readonly #nameOfId = new Map<string, string>();
  readonly #suspects = new Set<Node>();
  #ring: Node[] = [];
  #next = 0;
  #live = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  get size(): number {
    return this.#byName.size;
  }

  /** Alive and suspect ones, this one included. */
  get live(): number {
    return this.#live;
  }

  get suspects(): ReadonlySet<Node> {
    return this.#suspects;
  }

  get(name: string): Node | undefined {
    return this.#byName.get(name);
  }

  ownerOf(id: string): Node | undefined {
    const name = id === '' ? undefined : this.#nameOfId.get(id);
    return name === undefined ? undefined : this.#byName.get(name);
  }

  nodes(): IterableIterator<Node> {
    return this.#byName.values();
  }

  /** At a random place of the round that is going on, so that it is probed in this one or in the next (SWIM 4.3). */
  add(node: Node): void {
    this.#byName.set(node.name, node);
    if (isLive(node)) this.#live++;
    const place = randomInteger(this.#random, this.#ring.length + 1);
    const displaced = this.#ring[place];
    this.#ring[place] = node;
    if (displaced !== undefined) this.#ring.push(displaced);
  }

  setId(node: Node, id: string): void {
    if (this.#nameOfId.get(node.id) === node.name) this.#nameOfId.delete(node.id);
    node.id = id;
    if (id !== '') this.#nameOfId.set(id, node.name);
  }

  setState(node: Node, state: NodeState, nowMs: number, suspicion?: Suspicion): void {
    if (isLive(node)) this.#live--;
    node.state = state;
    node.changedMs = nowMs;
    this.setSuspicion(node, suspicion);
    if (isLive(node)) this.#live++;
  }

  setSuspicion(node: Node, suspicion: Suspicion | undefined): void {
    node.suspicion = suspicion;
    if (suspicion === undefined) this.#suspects.delete(node);
    else this.#suspects.add(node);
  }

  remove(node: Node): void {
    this.setState(node, 'dead', node.changedMs);
    this.setId(node, '');
    this.#byName.delete(node.name);
    const place = this.#ring.indexOf(node);
    this.#ring.splice(place, 1);
    if (place < this.#next) this.#next--;
  }

  /** Each once in a round, in an order that is new in each: the time until all have probed one is bounded (SWIM 4.3). */
  nextToProbe(isWanted: (node: Node) => boolean): Node | undefined {
    for (let seen = 0; seen < this.#ring.length; seen++) {
      if (this.#next >= this.#ring.length) {
        shuffle(this.#ring, this.#random);
        this.#next = 0;
      }
      const node = this.#ring[this.#next++];
      if (node !== undefined && isWanted(node)) return node;
    }
    return undefined;
  }

  /** Up to `count` different ones, each as likely as any other. */
  pick(count: number, isWanted: (node: Node) => boolean): Node[] {
    if (this.#ring.length > 8 * count) {
      const few = this.#guess(count, isWanted);
      if (few.length === count) return few;
    }
    const wanted = this.#ring.filter(isWanted);
    shuffle(wanted, this.#random);
    return wanted.slice(0, count);
  }

  /** Without a look at all of them: in a large pool nearly every guess is good. */
  #guess(count: number, isWanted: (node: Node) => boolean): Node[] {
    const picked: Node[] = [];
    for (let tries = 0; tries < 6 * count && picked.length < count; tries++) {
      const node = this.#ring[randomInteger(this.#random, this.#ring.length)];
      if (node !== undefined && !picked.includes(node) && isWanted(node)) picked.push(node);
    }
    return picked;
  }
}

export function isLive({ state }: { readonly state: NodeState }): boolean {
  return state === 'alive' || state === 'suspect';
}

export function viewOf({ name, id, address, tags, versions, incarnation, state }: Node): NodeView {
  return { name, id, address, tags, versions, incarnation, state };
}

export function recordOf({ name, id, address, tags, versions, incarnation, state }: Node): MemberRecord {
  return { node: name, id, address, tags, versions, incarnation, state };
}
