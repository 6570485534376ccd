import { configFromRegistration } from './config/from-registration.ts';
import type { ProxyConfig } from './config/types.ts';
import { SelfRegistrar } from './control-plane/self-registrar.ts';
import { watch } from './control-plane/watch.ts';
import { PrometheusEndpoint } from './observe/prometheus-endpoint.ts';
import { DEFAULT_DRAIN_TIMEOUT_MS, type ProxyOptions, type ProxyPorts } from './options.ts';
import { ServiceRuntime } from './runtime/service-runtime.ts';

/** A running data plane for one service. */
export interface Proxy {
  /** Begins to watch the configuration; returns at once. */
  start(): void;
  /** Resolves when certificate, roots and listeners are there; rejects when they cannot be. */
  readonly ready: Promise<void>;
  /** Drains: accepts no more, waits for open streams up to the drain timeout, then ends them. A second call ends at once. */
  stop(): Promise<void>;
  /** Undefined while it does not listen. */
  readonly publicPort: number | undefined;
  /** Bound ports by destination service. */
  readonly upstreamPorts: ReadonlyMap<string, number>;
  readonly openStreams: number;
  /** Streams to upstreams that needed no handshake, for they went through a kept tunnel. */
  readonly reusedTunnels: number;
}

export function createProxy(options: ProxyOptions, ports: ProxyPorts): Proxy {
  const ready = Promise.withResolvers<void>();
  // Whoever starts the proxy may look at `ready` late or never.
  ready.promise.catch(() => undefined);
  const abort = new AbortController();
  const { source } = options;
  let runtime: ServiceRuntime | undefined;
  let prometheus: PrometheusEndpoint | undefined;
  let registrar: SelfRegistrar | undefined;
  let stopping: Promise<void> | undefined;
  let hurry: (() => void) | undefined;

  const onReady = (): void => {
    ready.resolve();
    if (source.kind === 'agent') void reportReady(source.proxyId, ports);
    else registrar?.start();
  };
  /** Once: the flag wins over the registration, and a change of address needs a restart. */
  const servePrometheus = (bindAddr: string | undefined): void => {
    if (bindAddr === undefined || prometheus !== undefined) return;
    prometheus = new PrometheusEndpoint(bindAddr, () => runtime?.context, ports.logger, ports.clock);
    prometheus.start();
  };
  const apply = (config: ProxyConfig): void => {
    servePrometheus(config.prometheusBindAddr);
    if (runtime === undefined) {
      runtime = new ServiceRuntime(config.service, options, ports, { onReady, onFatal: ready.reject });
      runtime.apply(config);
      runtime.start();
    } else if (runtime.context.service !== config.service) {
      ports.logger.error('destination service changed: restart the proxy', { from: runtime.context.service, to: config.service });
    } else {
      ports.logger.debug('got new config');
      runtime.apply(config);
    }
  };

  const start = (): void => {
    servePrometheus(options.prometheusBindAddr);
    if (source.kind === 'static') {
      if (source.registration !== undefined) registrar = new SelfRegistrar(source.registration, ports);
      apply(source.config);
      return;
    }
    const { proxyId } = source;
    watch('agent_service', ports.controlPlane.readRegistration(proxyId), ports, abort.signal, (registration) => {
      try {
        apply(configFromRegistration(registration));
      } catch (error) {
        ports.logger.error(error instanceof Error ? error.message : String(error), { service_id: proxyId });
      }
    });
  };

  const drain = async (): Promise<void> => {
    abort.abort();
    await registrar?.stop();
    if (runtime !== undefined) {
      runtime.stopAccepting();
      await waitForStreams(runtime, options, ports, (skip) => {
        hurry = skip;
      });
      runtime.context.registry.closeAll('proxy is shutting down');
      runtime.close();
    }
    prometheus?.stop();
    ready.reject(new Error('proxy stopped'));
  };

  return {
    start,
    ready: ready.promise,
    stop: () => {
      if (stopping !== undefined) hurry?.();
      stopping ??= drain();
      return stopping;
    },
    get publicPort() {
      return runtime?.publicSide.port;
    },
    get upstreamPorts() {
      return runtime?.upstreamSide.ports ?? new Map<string, number>();
    },
    get openStreams() {
      return runtime?.context.registry.size ?? 0;
    },
    get reusedTunnels() {
      return runtime?.context.pool.reusedCount ?? 0;
    },
  };
}

/** So that the sidecar's TCP check passes now and not at its next turn (design.md 7.4). */
async function reportReady(proxyId: string, ports: ProxyPorts): Promise<void> {
  try {
    await ports.controlPlane.reportReady(proxyId);
  } catch (error) {
    ports.logger.debug('readiness not reported', { error: error instanceof Error ? error.message : String(error) });
  }
}

async function waitForStreams(
  runtime: ServiceRuntime,
  options: ProxyOptions,
  ports: ProxyPorts,
  onSkip: (skip: () => void) => void,
): Promise<void> {
  const timeoutMs = options.drainTimeoutMs ?? DEFAULT_DRAIN_TIMEOUT_MS;
  const { registry } = runtime.context;
  if (registry.size === 0) return;
  ports.logger.info('draining', { connections: registry.size, timeout: `${timeoutMs / 1000}s` });
  const enough = Promise.withResolvers<void>();
  onSkip(enough.resolve);
  const timer = ports.clock.setTimer(timeoutMs, () => enough.resolve());
  await Promise.race([registry.whenEmpty(), enough.promise]);
  timer.cancel();
}
