import { type ConfigDiff, upstreamKey } from '../config/diff.ts';
import { describeUpstream, type UpstreamConfig } from '../config/types.ts';
import { watch } from '../control-plane/watch.ts';
import { formatAddress } from '../inbound/dial-application.ts';
import { ListenerStats } from '../observe/listener-stats.ts';
import { Connector } from '../upstream/connector.ts';
import { instancesOf } from '../upstream/instances.ts';
import { pollQuery, type QueryPoll } from '../upstream/query-poll.ts';
import { UpstreamListener } from '../upstream/upstream-listener.ts';
import type { ServiceContext } from './service-context.ts';

interface RunningUpstream {
  config: UpstreamConfig;
  readonly connector: Connector;
  readonly listener: UpstreamListener;
  readonly abort: AbortController;
  /** Undefined: instances are watched. */
  query?: QueryPoll;
}

const PREPARED_QUERY = 'prepared_query';
/** An address that is taken may be free later. */
const RETRY_LISTEN_MS = 5000;

/** The upstream listeners over time, each with its watch of the destination's instances. */
export class UpstreamSide {
  readonly #context: ServiceContext;
  readonly #running = new Map<string, RunningUpstream>();
  readonly #removed = new Set<UpstreamListener>();

  constructor(context: ServiceContext) {
    this.#context = context;
  }

  /** Bound ports by destination service. */
  get ports(): ReadonlyMap<string, number> {
    return new Map([...this.#running.values()].map((upstream) => [upstream.config.service, upstream.listener.port]));
  }

  /** Never throws: an upstream that cannot start is logged and tried again, the others go on. */
  async apply(changes: ConfigDiff['upstreams']): Promise<void> {
    for (const config of changes.close) this.#remove(config);
    for (const config of changes.update) {
      const running = this.#running.get(upstreamKey(config));
      if (running !== undefined) running.config = config;
    }
    for (const config of changes.open) await this.#open(config);
  }

  /** New credentials: streams that wait for the first ones go on. */
  wake(): void {
    for (const { connector } of this.#running.values()) connector.wake();
  }

  stopAccepting(): void {
    for (const { listener } of this.#running.values()) listener.stopAccepting();
  }

  close(): void {
    for (const { listener, abort } of this.#running.values()) {
      abort.abort();
      listener.close();
    }
    for (const listener of this.#removed) listener.close();
  }

  async #open(config: UpstreamConfig): Promise<void> {
    const { logger } = this.#context.ports;
    const problem = unsupported(config);
    if (problem !== undefined) {
      logger.error(`${problem} Can't start upstream.`, { upstream: describeUpstream(config) });
      return;
    }
    const running = this.#create(config);
    this.#running.set(upstreamKey(config), running);
    await this.#listen(running);
    this.#discover(running);
  }

  #discover(running: RunningUpstream): void {
    const { ports } = this.#context;
    const { controlPlane } = ports;
    const { config, connector, abort } = running;
    const { service, datacenter } = config;
    if (config.destinationType === PREPARED_QUERY) {
      const execute = (signal: AbortSignal) => controlPlane.executeQuery(service, datacenter, signal);
      running.query = pollQuery(`prepared query ${service}`, execute, ports, abort.signal, (entries) =>
        connector.update(instancesOf(entries, undefined)),
      );
    } else {
      watch(`connect instances of ${service}`, controlPlane.readInstances(service, datacenter), ports, abort.signal, (entries) =>
        connector.update(instancesOf(entries, service)),
      );
    }
  }

  #create(config: UpstreamConfig): RunningUpstream {
    const { ports, credentials, pool, registry } = this.#context;
    const logger = ports.logger.named('upstream');
    const connector = new Connector(config.namespace, {
      clock: ports.clock,
      random: ports.random,
      logger,
      pool,
      credentials: () => credentials.current,
      onLacking: () => running.query?.hurry(),
    });
    const running: RunningUpstream = {
      config,
      connector,
      abort: new AbortController(),
      listener: new UpstreamListener(
        {
          host: config.host,
          port: config.port,
          destination: config.service,
          maxConnections: config.maxConnections,
          connectTimeoutMs: () => running.config.connectTimeoutMs,
        },
        { connector, registry, stats: this.#statsOf(config), clock: ports.clock, logger, accessLog: ports.accessLog },
      ),
    };
    return running;
  }

  async #listen(running: RunningUpstream): Promise<void> {
    const { logger, clock } = this.#context.ports;
    const upstream = describeUpstream(running.config);
    logger.info('Starting listener', { listener: upstream, bind_addr: formatAddress(running.config) });
    try {
      await running.listener.listen();
    } catch (error) {
      logger.error('failed to start upstream', { upstream, error: error instanceof Error ? error.message : String(error) });
      clock.setTimer(RETRY_LISTEN_MS, () => {
        if (!running.abort.signal.aborted) void this.#listen(running);
      });
    }
  }

  /** Its open streams go on. */
  #remove(config: UpstreamConfig): void {
    const running = this.#running.get(upstreamKey(config));
    if (running === undefined) return;
    this.#running.delete(upstreamKey(config));
    running.abort.abort();
    running.listener.stopAccepting();
    this.#removed.add(running.listener);
    this.#context.ports.logger.info('listener stopped', { listener: describeUpstream(config) });
  }

  #statsOf(config: UpstreamConfig): ListenerStats {
    // A query may have the name of a service.
    const key = `${config.destinationType} ${config.service}`;
    const known = this.#context.upstreamStats.get(key);
    if (known !== undefined) return known;
    const labels = { src: this.#context.service, dst_type: config.destinationType, dst: config.service };
    const stats = new ListenerStats(`proxy.${this.#context.service}.upstream`, labels);
    this.#context.upstreamStats.set(key, stats);
    return stats;
  }
}

function unsupported(config: UpstreamConfig): string | undefined {
  if (config.socketPath !== '') return 'local_bind_socket_path is not supported with this proxy implementation.';
  if (config.port < 1) return 'upstream has no local_bind_port.';
  if (config.peer !== undefined) return `destination_peer ${config.peer} is not supported yet.`;
  if (config.destinationPort !== undefined) return `destination_port ${config.destinationPort} is not supported yet.`;
  if (config.destinationType !== 'service' && config.destinationType !== PREPARED_QUERY)
    return `upstream type ${config.destinationType} is not supported yet.`;
  return undefined;
}
