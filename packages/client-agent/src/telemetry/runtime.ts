import { availableParallelism, hostname } from 'node:os';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Clock, Metrics, Timer } from '@lictor/protocol';
import type { RuntimeConfig } from '../contracts/index.ts';
import { type MetricsForward, MetricsRegistry } from './registry.ts';
import { StatsdSink } from './statsd.ts';

const REPORT_MS = 10_000;
const NS_PER_MS = 1e6;

/** What the process itself costs: memory, CPU, and how long the event loop kept others waiting. */
export class RuntimeMetrics {
  readonly #metrics: Metrics;
  readonly #clock: Clock;
  readonly #delay: ReturnType<typeof monitorEventLoopDelay>;
  #timer: Timer | undefined;
  #lastCpu = process.cpuUsage();

  constructor(metrics: Metrics, clock: Clock) {
    this.#metrics = metrics;
    this.#clock = clock;
    this.#delay = monitorEventLoopDelay({ resolution: 10 });
  }

  start(): void {
    this.#delay.enable();
    this.#report();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#delay.disable();
  }

  #report(): void {
    const { rss, heapUsed, heapTotal, external } = process.memoryUsage();
    this.#metrics.setGauge('runtime.alloc_bytes', heapUsed);
    this.#metrics.setGauge('runtime.sys_bytes', heapTotal);
    this.#metrics.setGauge('runtime.external_bytes', external);
    this.#metrics.setGauge('runtime.resident_bytes', rss);
    const cpu = process.cpuUsage(this.#lastCpu);
    this.#lastCpu = process.cpuUsage();
    const usedMs = (cpu.user + cpu.system) / 1_000;
    this.#metrics.setGauge('runtime.cpu_percentage', (usedMs / REPORT_MS / availableParallelism()) * 100);
    if (this.#delay.count > 0) {
      this.#metrics.setGauge('runtime.event_loop_delay.p50', this.#delay.percentile(50) / NS_PER_MS);
      this.#metrics.setGauge('runtime.event_loop_delay.p99', this.#delay.percentile(99) / NS_PER_MS);
      this.#metrics.setGauge('runtime.event_loop_delay.max', this.#delay.max / NS_PER_MS);
    }
    this.#delay.reset();
    this.#timer = this.#clock.setTimer(REPORT_MS, () => this.#report());
  }
}

export interface AgentMetrics {
  readonly registry: MetricsRegistry;
  stop(): void;
}

/** The registry that the configuration asks for, running. */
export function startMetrics(config: RuntimeConfig, clock: Clock): AgentMetrics {
  const { telemetry } = config;
  const statsd: (MetricsForward & { close(): void }) | undefined =
    telemetry.statsdAddress === '' ? undefined : new StatsdSink(telemetry.statsdAddress, clock);
  const registry = new MetricsRegistry({
    prefix: telemetry.metricsPrefix,
    hostname: hostname(),
    disableHostname: telemetry.disableHostname,
    prefixFilter: telemetry.prefixFilter,
    filterDefault: telemetry.filterDefault,
    prometheusRetentionMs: telemetry.prometheusRetentionMs,
    clock,
    ...(statsd === undefined ? {} : { forward: statsd }),
  });
  registry.start();
  const runtime = new RuntimeMetrics(registry, clock);
  runtime.start();
  return {
    registry,
    stop: () => {
      runtime.stop();
      registry.stop();
      statsd?.close();
    },
  };
}
