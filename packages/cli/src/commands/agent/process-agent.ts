import {
  type Agent,
  type AgentMetrics,
  createAgent,
  createDnsHandler,
  DnsServer,
  type HttpApi,
  type LogHub,
  type RuntimeConfig,
  startHttpApi,
  startMetrics,
} from '@lictor/client-agent';
import { API_VERSION, type Clock, type Logger, type Secret } from '@lictor/protocol';
import { systemRandom } from '@lictor/protocol/system';
import type { PoolPorts } from './gossip/create-pool.ts';
import { type Gossip, startGossip } from './gossip/index.ts';
import { type Machine, SYSTEM_MACHINE } from './machine.ts';
import { createNodeRole } from './node-role.ts';
import type { NodeRole, ServerTiming } from './role.ts';
import { collectStats } from './stats.ts';

const BUILD = { version: API_VERSION, prerelease: '', revision: '', buildDate: '1970-01-01T00:00:01Z' } as const;
/** How long running requests may take to end once the agent stops. */
const DRAIN_MS = 1_000;

export interface ProcessAgent {
  readonly agent: Agent;
  /** Resolves when somebody asked the agent to leave. */
  readonly left: Promise<void>;
  /** Resolves with false when nobody whom the configuration names could be joined, as often as it was to be tried. */
  readonly joined: Promise<boolean>;
  stop(): Promise<void>;
}

export interface ProcessAgentOptions {
  readonly config: RuntimeConfig;
  readonly logs: LogHub;
  readonly logger: Logger;
  readonly loadConfig: () => RuntimeConfig;
  readonly onReload: (config: RuntimeConfig) => void;
  /** Of a server; what the configuration says when absent. */
  readonly serverTiming?: ServerTiming;
  /** The real one when absent. */
  readonly machine?: Machine;
  /** Aborted when the process is asked to stop: an agent that waits for its certificate waits no longer. */
  readonly signal?: AbortSignal;
}

/** Server, agent, HTTP and DNS in this process. What was started before a failure is stopped again. @throws LictorError */
export async function startProcessAgent(options: ProcessAgentOptions): Promise<ProcessAgent> {
  const { config, logger, machine = SYSTEM_MACHINE } = options;
  const { clock } = machine;
  const stops: (() => Promise<void> | void)[] = [];
  const stop = async (): Promise<void> => {
    for (const step of stops.splice(0).reverse()) {
      await Promise.resolve(step()).catch((error: unknown) => logger.error('part of the agent did not stop', { error }));
    }
  };
  try {
    const metrics = startMetrics(config, clock);
    stops.push(() => metrics.stop());
    const ports = { clock, random: systemRandom, logger, metrics: metrics.registry };
    const gossip = await startPools(config, { ...ports, wrapTransport: machine.wrapGossip });
    if (gossip !== undefined) stops.push(() => gossip.stop());
    // Gossip knows at which addresses the servers are that are to sign the certificate.
    const joined = config.autoEncrypt.tls ? gossip?.join() : undefined;
    let agentToken = (): Secret => agentTokenOf(config);
    const role = await createNodeRole(config, {
      ...ports,
      lan: gossip?.pools.lan,
      datacenters: gossip?.datacenters,
      keyrings: gossip?.keyrings,
      agentToken: () => agentToken(),
      serverTiming: options.serverTiming,
      machine,
    });
    stops.push(() => role.stop());
    await unlessAborted(options.signal, role);
    let end = (): void => undefined;
    const left = new Promise<void>((resolve) => (end = resolve));
    const agent = createAgent(config, {
      ...ports,
      server: role.port,
      onServersFound: (listener) => role.onServersFound(listener),
      version: API_VERSION,
      loadConfig: options.loadConfig,
      onReload: (next) => {
        options.logs.setLevel(next.log.level);
        role.reload(next);
        options.onReload(next);
      },
      ...(gossip !== undefined && { pools: gossip.pools }),
      // Agents turn to other servers while this one still serves what has come by then.
      leaveCluster: async () => {
        await Promise.all([role.leave(), gossip?.leave()]);
      },
      onLeave: end,
    });
    agentToken = () => agent.tokens.forAgent();
    stops.push(() => agent.stop());
    await agent.start();
    const http = await startHttp(options, agent, role, metrics);
    stops.push(() => http.close(DRAIN_MS));
    for (const dns of await startDns(options, agent, role, metrics)) stops.push(() => dns.stop());
    return { agent, left, joined: joined ?? gossip?.join() ?? Promise.resolve(true), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function clockOf({ machine = SYSTEM_MACHINE }: ProcessAgentOptions): Clock {
  return machine.clock;
}

/** A development server is by itself without a port of gossip, or where another agent has it already. @throws LictorError, GossipError */
async function startPools(config: RuntimeConfig, ports: PoolPorts): Promise<Gossip | undefined> {
  const isDevServer = config.devMode && config.server;
  if (isDevServer && config.ports.serfLan <= 0) return undefined;
  try {
    return await startGossip(config, ports);
  } catch (error) {
    if (!isDevServer) throw error;
    ports.logger.warn('gossip cannot start: this development server is by itself', {
      error: error instanceof Error ? error.message : String(error),
    });
    return undefined;
  }
}

/** @throws LictorError */
async function unlessAborted(signal: AbortSignal | undefined, role: NodeRole): Promise<void> {
  const onAbort = (): void => void role.stop();
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    await role.start();
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
}

/** Until the agent has its own store of tokens. */
function agentTokenOf({ tokens }: RuntimeConfig): Secret {
  return tokens.agent.isEmpty ? tokens.default : tokens.agent;
}

async function startHttp(options: ProcessAgentOptions, agent: Agent, role: NodeRole, metrics: AgentMetrics): Promise<HttpApi> {
  const http = await startHttpApi({
    config: () => agent.config(),
    build: BUILD,
    server: role.port,
    cache: agent.cache,
    services: agent.services,
    checks: agent.checks,
    membership: agent.membership,
    events: agent.events,
    lifecycle: agent.lifecycle,
    tokens: agent.tokens,
    logs: options.logs,
    metricsView: metrics.registry,
    metrics: metrics.registry,
    logger: options.logger.named('http'),
    clock: clockOf(options),
    random: systemRandom,
    ...(role.httpsIdentity !== undefined && { httpsIdentity: role.httpsIdentity }),
    stats: () => collectStats(agent, role.stats()),
    synced: () => agent.synced(),
  });
  for (const { scheme, host, port, socketPath } of http.addresses) {
    options.logger.info('Starting server', {
      address: socketPath ?? `${host}:${port}`,
      network: socketPath === undefined ? 'tcp' : 'unix',
      protocol: scheme,
    });
  }
  return http;
}

async function startDns(options: ProcessAgentOptions, agent: Agent, role: NodeRole, metrics: AgentMetrics): Promise<DnsServer[]> {
  const logger = options.logger.named('dns');
  const handler = createDnsHandler({
    config: () => agent.config(),
    server: role.port,
    cache: agent.cache,
    clock: clockOf(options),
    random: systemRandom,
    logger,
    metrics: metrics.registry,
  });
  const started: DnsServer[] = [];
  for (const listen of options.config.dnsListen) {
    const dns = new DnsServer(listen, { handler, clock: clockOf(options), logger });
    await dns.start();
    options.logger.info('Started DNS server', { address: `${listen.host}:${listen.port}`, network: 'udp+tcp' });
    started.push(dns);
  }
  return started;
}
