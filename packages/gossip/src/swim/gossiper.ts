import type { SwimState } from './state.ts';

/** Rumours do not wait for pings to ride on: in each interval they go to a few members at random (SWIM 4.1, infection style). */
export class Gossiper {
  readonly #state: SwimState;
  #nextMs: number;

  constructor(state: SwimState) {
    this.#state = state;
    this.#nextMs = state.nowMs + state.ports.random.float() * state.options.gossipIntervalMs;
  }

  get dueMs(): number {
    const { hasRumours, table } = this.#state;
    return hasRumours && table.size > 1 ? Math.max(this.#nextMs, this.#phase()) : Infinity;
  }

  tick(): void {
    const state = this.#state;
    const { nowMs, options } = state;
    if (nowMs < this.#nextMs) return;
    const late = Math.floor((nowMs - this.#nextMs) / options.gossipIntervalMs);
    this.#nextMs += (late + 1) * options.gossipIntervalMs;
    if (!state.hasRumours) return;
    const peers = state.table.pick(
      options.gossipNodes,
      (node) => state.isLiveOther(node) || (node.state === 'dead' && nowMs - node.changedMs <= options.gossipToDeadMs),
    );
    for (const { address } of peers) {
      const messages = state.takeRumours(options.packetBytes);
      if (messages.length === 0) return;
      state.effects.datagrams.push({ to: address, messages });
    }
  }

  /** The next beat from now: one that had nothing to say for a while keeps its rhythm. */
  #phase(): number {
    const { nowMs, options } = this.#state;
    if (nowMs <= this.#nextMs) return this.#nextMs;
    const late = Math.ceil((nowMs - this.#nextMs) / options.gossipIntervalMs);
    return this.#nextMs + late * options.gossipIntervalMs;
  }
}
