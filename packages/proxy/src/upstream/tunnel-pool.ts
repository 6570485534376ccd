import type { Clock, Timer } from '@lictor/protocol';
import { DEFAULT_POOL_LIMITS, IdlePool, type PoolLimits } from '../tunnel/idle-pool.ts';
import type { CallerTunnel, CallerTunnelOwner } from './caller-tunnel.ts';

const SWEEP_EVERY_MS = 5000;

/** Keeps idle tunnels for the next stream, as long as they are worth keeping. */
export class TunnelPool implements CallerTunnelOwner {
  readonly #idle: IdlePool<CallerTunnel>;
  readonly #clock: Clock;
  #generation = 0;
  #sweep: Timer | undefined;
  #reused = 0;
  #stopped = false;

  constructor(clock: Clock, limits: PoolLimits = DEFAULT_POOL_LIMITS) {
    this.#clock = clock;
    this.#idle = new IdlePool(limits);
  }

  get idleCount(): number {
    return this.#idle.size;
  }

  /** Streams that needed no handshake. */
  get reusedCount(): number {
    return this.#reused;
  }

  take(key: string): CallerTunnel | undefined {
    const tunnel = this.#idle.take(key);
    if (tunnel !== undefined) this.#reused++;
    return tunnel;
  }

  /** After a change of leaf or roots nothing older is used again. */
  retire(generation: number): void {
    this.#generation = generation;
    for (const tunnel of this.#idle.clear()) tunnel.end();
  }

  stop(): void {
    this.#stopped = true;
    this.#sweep?.cancel();
    for (const tunnel of this.#idle.clear()) tunnel.end();
  }

  idle(tunnel: CallerTunnel): void {
    const isFresh = !this.#stopped && !tunnel.isRetired && tunnel.generation >= this.#generation;
    if (!isFresh || !this.#idle.put(tunnel.key, tunnel, this.#clock.monotonic())) tunnel.end();
    else this.#sweep ??= this.#clock.setTimer(SWEEP_EVERY_MS, () => this.#expire());
  }

  closed(tunnel: CallerTunnel): void {
    this.#idle.remove(tunnel.key, tunnel);
  }

  #expire(): void {
    this.#sweep = undefined;
    for (const tunnel of this.#idle.expire(this.#clock.monotonic())) tunnel.end();
    if (this.#idle.size > 0) this.#sweep = this.#clock.setTimer(SWEEP_EVERY_MS, () => this.#expire());
  }
}
