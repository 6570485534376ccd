import {
  type Clock,
  type Coordinate,
  LictorError,
  type Logger,
  type Random,
  type Secret,
  type ServerPort,
  type Timer,
} from '@lictor/protocol';

/** All agents of a datacenter send so many a second, together… */
const RATE_PER_SECOND = 64;
/** …and each one no more often than this (consul-facts T024). */
const MIN_INTERVAL_MS = 15_000;

export interface CoordinateSenderPorts {
  readonly server: ServerPort;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly nodeName: () => string;
  readonly token: () => Secret;
  readonly coordinate: () => Coordinate;
  /** Agents of the datacenter that are known. */
  readonly clusterSize: () => number;
}

/** Keeps the servers told where in the network this node is: `rtt` and `?near=` live on it. */
export class CoordinateSender {
  readonly #ports: CoordinateSenderPorts;
  #timer: Timer | undefined;
  #isStopped = false;

  constructor(ports: CoordinateSenderPorts) {
    this.#ports = ports;
  }

  start(): void {
    this.#arm();
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  #arm(): void {
    if (this.#isStopped) return;
    const { clock, random, clusterSize } = this.#ports;
    const intervalMs = sendIntervalMs(clusterSize());
    // Spread over a second interval: agents that started together do not send together.
    this.#timer = clock.setTimer(intervalMs * (1 + random.float()), () => {
      void this.#send().finally(() => this.#arm());
    });
  }

  /** Never rejects: the next one comes anyway. */
  async #send(): Promise<void> {
    const { server, logger, nodeName, token, coordinate } = this.#ports;
    try {
      await server.call('Coordinate.Update', { Node: nodeName(), Segment: '', Partition: '', Coord: coordinate() }, { token: token() });
    } catch (thrown) {
      const error = LictorError.from(thrown);
      if (error.code === 'permission-denied') logger.warn('Coordinate update blocked by ACLs', { error: error.message });
      else logger.error('Coordinate update error', { error: error.message });
    }
  }
}

/** Between two updates of one agent, at least; the spread comes on top. */
export function sendIntervalMs(clusterSize: number): number {
  return Math.max(MIN_INTERVAL_MS, (clusterSize / RATE_PER_SECOND) * 1000);
}
