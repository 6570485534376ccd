import { allowAll, type Authorizer } from '@lictor/mesh';
import { type Clock, LictorError, type Logger, type Metrics, type Random, type Secret, type ServerPort } from '@lictor/protocol';
import type { ServerConfig } from './config.ts';
import { ConnectCa } from './connect-ca/index.ts';
import { type Consensus, createSingleNodeConsensus, type Disk } from './consensus/index.ts';
import { COMMAND_HANDLERS } from './fsm/commands/index.ts';
import { Fsm } from './fsm/fsm.ts';
import { Dispatcher } from './rpc/dispatcher.ts';
import { createDutyPorts, createLeader } from './leader/index.ts';
import { createEndpoints } from './rpc/endpoints/index.ts';
import { StateStore } from './state/store.ts';
import { UsageReporter } from './usage/index.ts';

export interface ServerPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** The operating system's when absent; used only with a data directory. */
  readonly disk?: Disk;
  /** Allows everything when absent. */
  readonly resolveToken?: (token: Secret) => Authorizer;
}

export interface Server {
  readonly port: ServerPort;
  readonly consensus: Consensus;
  readonly store: StateStore;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** One server: its state, its log, its endpoints and, while it leads, the leader's duties. */
export function createServer(config: ServerConfig, ports: ServerPorts): Server {
  const logger = ports.logger.named('server');
  const store = new StateStore();
  const fsm = new Fsm(store, COMMAND_HANDLERS, { ...ports, logger: logger.named('fsm') });
  const consensus = createSingleNodeConsensus(config, fsm, { ...ports, logger: logger.named('raft') });
  const leaderPorts = { ...ports, logger: logger.named('leader'), store, consensus };
  const caPorts = { ...createDutyPorts(leaderPorts), random: ports.random, logger: ports.logger.named('connect.ca') };
  const connectCa = config.connectEnabled ? new ConnectCa(config, caPorts) : null;
  const leader = createLeader(config, leaderPorts, connectCa === null ? [] : [connectCa]);
  const endpoints = createEndpoints({
    serverName: config.nodeName,
    sessionTimers: leader.sessionTtl,
    sessionTtlMinMs: config.sessionTtlMinMs,
    coordinates: leader.coordinates,
    defaultIntentionPolicy: config.defaultIntentionPolicy,
    connectCa,
    store,
    consensus,
    reassertLeadership: () => leader.reassert(),
  });
  const dispatcher = new Dispatcher(
    { datacenter: config.datacenter, defaultWaitMs: config.defaultQueryTimeMs, maxWaitMs: config.maxQueryTimeMs },
    endpoints,
    { ...ports, logger: logger.named('rpc'), store, consensus, resolveToken: ports.resolveToken ?? (() => allowAll) },
  );
  const usage = new UsageReporter({ ...ports, store, consensus });
  return {
    port: dispatcher,
    consensus,
    store,
    start: async () => {
      await consensus.start();
      usage.start();
      await leader.established();
    },
    stop: async () => {
      dispatcher.close(new LictorError('unavailable', 'server is shutting down'));
      usage.stop();
      leader.stop();
      await consensus.stop();
    },
  };
}
