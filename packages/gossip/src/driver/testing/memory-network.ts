import { GossipError } from '../../errors.ts';
import type { Address } from '../../swim/index.ts';
import type { Transport, TransportHandlers } from '../ports.ts';

/** A network within the process, for pools on a clock that a test moves: everything arrives in the next turn, unless it is cut. */
export class MemoryNetwork {
  readonly #members = new Map<Address, TransportHandlers>();
  readonly #cut = new Set<Address>();
  #nextHost = 1;

  /** `address`: undefined: one of its own. */
  transport(address: Address = `10.77.0.${this.#nextHost++}:8301`): Transport {
    const isStopped = (): boolean => !this.#members.has(address);
    return {
      start: (handlers) => {
        if (this.#members.has(address)) return Promise.reject(new GossipError('unreachable', `${address} is in use`));
        this.#members.set(address, handlers);
        return Promise.resolve(address);
      },
      send: (to, packet) => {
        if (!isStopped()) queueMicrotask(() => this.#reach(address, to)?.onPacket(address, packet));
      },
      exchange: (to, request) => this.#exchange(address, to, request),
      resolve: (host) => Promise.resolve([host]),
      stop: () => {
        this.#members.delete(address);
        return Promise.resolve();
      },
    };
  }

  /** Nothing reaches it, and nothing of it arrives. */
  cut(address: Address): void {
    this.#cut.add(address);
  }

  heal(): void {
    this.#cut.clear();
  }

  async #exchange(from: Address, to: Address, request: Uint8Array): Promise<Uint8Array> {
    const answer = await this.#reach(from, to)?.onRequest(from, request);
    if (answer === undefined || this.#reach(to, from) === undefined) throw new GossipError('unreachable', `cannot reach ${to}`);
    return answer;
  }

  #reach(from: Address, to: Address): TransportHandlers | undefined {
    return this.#cut.has(from) || this.#cut.has(to) ? undefined : this.#members.get(to);
  }
}
