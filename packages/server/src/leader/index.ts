import { type Clock, LictorError, type Logger, type Metrics } from '@lictor/protocol';
import type { NodeDirectory } from '../cluster/directory.ts';
import type { ServerConfig } from '../config.ts';
import type { Consensus } from '../consensus/port.ts';
import type { StateStore } from '../state/store.ts';
import type { StateReader } from '../state/types.ts';
import { bootstrapConfigEntries } from './bootstrap-config-entries.ts';
import { CoordinateBatch } from './coordinate-batch.ts';
import type { LeaderDuty } from './duty.ts';
import { MemberReconciler } from './reconcile-members.ts';
import { RetriedStep } from './retried-step.ts';
import { SessionTtl } from './session-ttl.ts';
import { TombstoneGc } from './tombstone-gc.ts';

export type { LeaderDuty } from './duty.ts';

export interface LeaderPorts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly store: StateStore;
  readonly consensus: Consensus;
  readonly nodes: NodeDirectory;
}

/** What duties of other parts get. */
export interface DutyPorts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** The state as it is now; take a new one after every wait. */
  reader(): StateReader;
  /** Stamps the time and proposes. */
  propose<Result>(type: string, body: unknown): Promise<{ readonly index: number; readonly result: Result }>;
}

export function createDutyPorts({ clock, logger, metrics, store, consensus }: LeaderPorts): DutyPorts {
  return {
    clock,
    logger,
    metrics,
    reader: () => store.snapshot().reader(),
    propose: (type, body) => consensus.propose({ type, version: 1, timeMs: clock.now(), body }),
  };
}

export interface Leader {
  readonly sessionTtl: SessionTtl;
  readonly coordinates: CoordinateBatch;
  /** Resolves when every duty has been taken up once; at once while another server leads. */
  established(): Promise<void>;
  /** Takes up every duty anew: the state was replaced under them. */
  reassert(): Promise<void>;
  /** Lays down the duties for good. */
  stop(): void;
}

/** Binds the duties to leadership. `more` are those of parts with their own state, such as the CA; they come last. */
export function createLeader(config: ServerConfig, ports: LeaderPorts, more: readonly LeaderDuty[] = []): Leader {
  const dutyPorts = createDutyPorts(ports);
  const sessionTtl = new SessionTtl(ports);
  const coordinates = new CoordinateBatch(dutyPorts);
  const tombstones = { ttlMs: config.tombstoneTtlMs, granularityMs: config.tombstoneGranularityMs };
  const duties: readonly LeaderDuty[] = [
    sessionTtl,
    new TombstoneGc(tombstones, ports),
    coordinates,
    new MemberReconciler(config.nodeId, { ...dutyPorts, nodes: ports.nodes }),
    new RetriedStep('bootstrapping config entries', () => bootstrapConfigEntries(config.bootstrapConfigEntries, dutyPorts), dutyPorts),
    ...more,
  ];
  let establishing = Promise.resolve();
  /** Counts starts and stops: a start that was overtaken must not go on. */
  let generation = 0;
  const layDown = (): void => {
    generation++;
    for (const duty of duties) duty.stop();
  };
  const takeUp = (): Promise<void> => {
    const own = ++generation;
    establishing = startInOrder(duties, ports.logger, () => generation === own);
    return establishing;
  };
  const unsubscribe = ports.consensus.onLeadershipChange((isLeader) => {
    ports.metrics.setGauge('server.isLeader', isLeader ? 1 : 0);
    if (isLeader) void takeUp();
    else layDown();
  });
  return {
    sessionTtl,
    coordinates,
    established: () => establishing,
    reassert: async () => {
      if (!ports.consensus.isLeader) return;
      layDown();
      await takeUp();
    },
    stop: () => {
      unsubscribe();
      layDown();
    },
  };
}

/** Later duties may rely on what earlier ones have written. Never rejects. */
async function startInOrder(duties: readonly LeaderDuty[], logger: Logger, isCurrent: () => boolean): Promise<void> {
  for (const duty of duties) {
    if (!isCurrent()) return;
    try {
      await duty.start();
    } catch (thrown) {
      logger.error('taking up a leader duty failed', { error: LictorError.from(thrown) });
    }
  }
}
