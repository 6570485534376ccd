import type { Random } from '@lictor/protocol';
import { randomInteger } from '@lictor/protocol';

/** One place where a service can be reached. */
export interface Instance {
  /** Node and service id: what the catalog calls this instance. */
  readonly id: string;
  readonly host: string;
  readonly port: number;
  /** The datacenter named in the peer's certificate. */
  readonly datacenter: string;
  /** The service named in it. */
  readonly service: string;
  /** Share of the traffic, at least 1. */
  readonly weight: number;
}

/** An instance that fails is left aside this long, doubled with each failure in a row up to the cap. */
const EJECTION_BASE_MS = 1000;
const EJECTION_CAP_MS = 30_000;

interface Entry {
  instance: Instance;
  active: number;
  failures: number;
  ejectedUntilMs: number;
}

/**
 * Power of two choices by active streams per weight, with a memory of outliers (Mitzenmacher 2001: two random choices are
 * exponentially better than one). Pure: times come in as arguments.
 *
 * 1. An ejected instance is picked only when no other is left, the one that comes back first before the others.
 * 2. What is known of an instance survives an update that keeps its id and address.
 */
export class Balancer {
  readonly #random: Random;
  #entries = new Map<string, Entry>();
  #list: Entry[] = [];

  constructor(random: Random) {
    this.#random = random;
  }

  get size(): number {
    return this.#list.length;
  }

  update(instances: readonly Instance[]): void {
    const next = new Map<string, Entry>();
    for (const instance of instances) {
      const known = this.#entries.get(instance.id);
      if (known !== undefined && sameAddress(known.instance, instance)) {
        known.instance = instance;
        next.set(instance.id, known);
      } else {
        next.set(instance.id, { instance, active: 0, failures: 0, ejectedUntilMs: 0 });
      }
    }
    this.#entries = next;
    this.#list = [...next.values()];
  }

  /** Undefined when no instance is left beside those already `tried`. */
  pick(nowMs: number, tried: ReadonlySet<string>): Instance | undefined {
    const untried = tried.size === 0 ? this.#list : this.#list.filter((entry) => !tried.has(entry.instance.id));
    const healthy = untried.every((entry) => entry.ejectedUntilMs <= nowMs)
      ? untried
      : untried.filter((entry) => entry.ejectedUntilMs <= nowMs);
    if (healthy.length === 0) return soonestBack(untried)?.instance;
    if (healthy.length === 1) return healthy[0]?.instance;
    const first = this.#choose(healthy);
    const second = this.#chooseOther(healthy, first);
    return lessLoaded(first, second)?.instance;
  }

  started(instance: Instance): void {
    const entry = this.#entries.get(instance.id);
    if (entry !== undefined) entry.active++;
  }

  finished(instance: Instance): void {
    const entry = this.#entries.get(instance.id);
    if (entry !== undefined && entry.active > 0) entry.active--;
  }

  succeeded(instance: Instance): void {
    const entry = this.#entries.get(instance.id);
    if (entry === undefined) return;
    entry.failures = 0;
    entry.ejectedUntilMs = 0;
  }

  failed(instance: Instance, nowMs: number): void {
    const entry = this.#entries.get(instance.id);
    if (entry === undefined) return;
    entry.failures++;
    entry.ejectedUntilMs = nowMs + Math.min(EJECTION_BASE_MS * 2 ** (entry.failures - 1), EJECTION_CAP_MS);
  }

  #choose(entries: readonly Entry[]): Entry | undefined {
    return entries[randomInteger(this.#random, entries.length)];
  }

  #chooseOther(entries: readonly Entry[], first: Entry | undefined): Entry | undefined {
    const index = randomInteger(this.#random, entries.length - 1);
    return entries[index] === first ? entries[entries.length - 1] : entries[index];
  }
}

function sameAddress(a: Instance, b: Instance): boolean {
  return a.host === b.host && a.port === b.port && a.service === b.service;
}

/** Compares (active + 1) / weight without dividing. */
function lessLoaded(a: Entry | undefined, b: Entry | undefined): Entry | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return (a.active + 1) * b.instance.weight <= (b.active + 1) * a.instance.weight ? a : b;
}

function soonestBack(entries: readonly Entry[]): Entry | undefined {
  let first: Entry | undefined;
  for (const entry of entries) if (first === undefined || entry.ejectedUntilMs < first.ejectedUntilMs) first = entry;
  return first;
}
