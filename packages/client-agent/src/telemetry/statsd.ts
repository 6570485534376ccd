import { createSocket, type Socket } from 'node:dgram';
import type { Clock, MetricLabels, Timer } from '@lictor/protocol';
import type { MetricsForward } from './registry.ts';

const FLUSH_MS = 100;
/** Fits one Ethernet frame. */
const MAX_PACKET_BYTES = 1_400;

/** Sends measurements to a statsd server over UDP, several to a packet; whatever is lost is lost. */
export class StatsdSink implements MetricsForward {
  readonly #socket: Socket = createSocket('udp4');
  readonly #host: string;
  readonly #port: number;
  readonly #clock: Clock;
  #pending = '';
  #timer: Timer | undefined;

  /** `address` is `host:port`. */
  constructor(address: string, clock: Clock) {
    const colon = address.lastIndexOf(':');
    this.#host = address.slice(0, colon);
    this.#port = Number(address.slice(colon + 1));
    this.#clock = clock;
    this.#socket.on('error', () => undefined);
    this.#socket.unref();
  }

  gauge(name: string, value: number, labels: MetricLabels | undefined): void {
    this.#add(`${flatten(name, labels)}:${value}|g\n`);
  }

  count(name: string, value: number, labels: MetricLabels | undefined): void {
    this.#add(`${flatten(name, labels)}:${value}|c\n`);
  }

  sample(name: string, value: number, labels: MetricLabels | undefined): void {
    this.#add(`${flatten(name, labels)}:${value}|ms\n`);
  }

  close(): void {
    this.#flush();
    this.#timer?.cancel();
    this.#socket.close();
  }

  #add(line: string): void {
    if (this.#pending.length + line.length > MAX_PACKET_BYTES) this.#flush();
    this.#pending += line;
    this.#timer ??= this.#clock.setTimer(FLUSH_MS, () => this.#flush());
  }

  #flush(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#pending === '') return;
    this.#socket.send(this.#pending, this.#port, this.#host, () => undefined);
    this.#pending = '';
  }
}

/** Plain statsd knows no labels: their values become parts of the name, as go-metrics does. */
function flatten(name: string, labels: MetricLabels | undefined): string {
  const parts = labels === undefined ? [name] : [name, ...Object.values(labels)];
  return parts.join('.').replace(/[:| \n]/g, '_');
}
