import { type Clock, doneWithin, formatDuration, type Logger, sleep } from '@lictor/protocol';
import type { ServerConfig } from '../config.ts';
import type { Consensus } from '../consensus/port.ts';
import type { ServerDiscovery } from './discovery.ts';

export interface LeavePorts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly consensus: Consensus;
  readonly discovery: Pick<ServerDiscovery, 'leave' | 'members'>;
}

/** How long a server that leaves waits to be taken out (consul-facts T014). */
const REMOVAL_GRACE_MS = 5000;
const LOOK_EVERY_MS = 100;
/** A follower that is there takes over within milliseconds. */
const HAND_OVER_MS = 1000;

/** Goes for good: leadership is handed over, and the others take this server out of the cluster. */
export async function leaveCluster(config: Pick<ServerConfig, 'nodeId' | 'leaveDrainMs'>, ports: LeavePorts): Promise<void> {
  await handOver(ports);
  await ports.discovery.leave();
  await Promise.all([drain(config, ports), untilRemoved(config.nodeId, ports)]);
}

/** As `handOver`, by a server that ends: where all end at once there is nobody to take over, and nobody has to wait for that. Never rejects. */
export async function handOverInTime(ports: Pick<LeavePorts, 'consensus' | 'logger' | 'clock'>): Promise<void> {
  await doneWithin(ports.clock, HAND_OVER_MS, handOver(ports));
}

/** The cluster should not have to notice by itself that its leader is gone. Never rejects. */
async function handOver({ consensus, logger }: Pick<LeavePorts, 'consensus' | 'logger'>): Promise<void> {
  const isOnlyVoter = consensus.configuration().Servers.filter((server) => server.Voter).length < 2;
  if (!consensus.isLeader || isOnlyVoter) return;
  try {
    await consensus.transferLeadership();
  } catch (error) {
    logger.warn('leadership could not be handed over', { error });
  }
}

/** Clients that have just called this server find another one meanwhile; where there is none nobody has to wait. */
async function drain(
  { nodeId, leaveDrainMs }: Pick<ServerConfig, 'nodeId' | 'leaveDrainMs'>,
  { clock, logger, discovery }: LeavePorts,
): Promise<void> {
  const others = discovery.members().filter(({ id, status }) => id !== nodeId && status === 'alive');
  if (leaveDrainMs <= 0 || others.length === 0) return;
  logger.info('waiting to drain RPC traffic', { drain_time: formatDuration(leaveDrainMs) });
  await sleep(clock, leaveDrainMs);
}

/** Or until the others have had time enough. */
async function untilRemoved(id: string, { consensus, clock }: LeavePorts): Promise<void> {
  const deadlineMs = clock.monotonic() + REMOVAL_GRACE_MS;
  const isIn = (): boolean => {
    const servers = consensus.configuration().Servers;
    return servers.length > 1 && servers.some((server) => server.ID === id);
  };
  while (isIn() && clock.monotonic() < deadlineMs) await sleep(clock, LOOK_EVERY_MS);
}
