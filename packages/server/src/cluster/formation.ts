import { type Clock, LictorError, type Logger, type Random, randomUuid, type Timer } from '@lictor/protocol';
import type { ServerMember } from './directory.ts';
import { GREET_EVERY_MS, type ServerDiscovery } from './discovery.ts';

/** A log that is nobody's yet. */
export interface FreeLog {
  /** Empty: it belongs to no cluster. */
  readonly clusterId: string;
  /** For good: nothing is tried again. */
  readonly hasFailed: boolean;
  bootstrap(clusterId: string, servers: readonly { readonly id: string; readonly address: string }[]): Promise<void>;
  join(clusterId: string): Promise<void>;
}

export interface FormationPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly discovery: ServerDiscovery;
  readonly log: FreeLog;
}

/** Twice between two greetings. */
const LOOK_EVERY_MS = GREET_EVERY_MS / 2;

/**
 * How a server without a log gets one: it joins the cluster that others are part of, or, when nobody is, makes one with them.
 *
 * A cluster is made exactly once: only by the server with the lowest id, and only when everybody alive hears exactly the same servers. Two
 * sets of servers that both make a cluster would share a server or know nothing of each other at all; a shared one has told both
 * all that it knows, so the sets are not the same as what it hears, and neither is made.
 */
export class ClusterFormation {
  readonly #selfId: string;
  readonly #ports: FormationPorts;
  readonly #lookEveryMs: number;
  #timer: Timer | undefined;
  #isRunning = false;
  #complaint = '';

  constructor(selfId: string, ports: FormationPorts, lookEveryMs = LOOK_EVERY_MS) {
    this.#lookEveryMs = lookEveryMs;
    this.#selfId = selfId;
    this.#ports = ports;
  }

  start(): void {
    const { log, discovery } = this.#ports;
    this.#isRunning = true;
    if (log.clusterId === '') this.#schedule(0);
    else void discovery.announceCluster(log.clusterId);
  }

  stop(): void {
    this.#isRunning = false;
    this.#timer?.cancel();
  }

  #schedule(delayMs: number): void {
    this.#timer = this.#ports.clock.setTimer(delayMs, () => void this.#look());
  }

  async #look(): Promise<void> {
    const { log, discovery, logger } = this.#ports;
    try {
      await this.#step();
    } catch (thrown) {
      if (!log.hasFailed) logger.error('forming the cluster failed; it is tried again', { error: LictorError.from(thrown) });
    }
    if (!this.#isRunning) return;
    if (log.hasFailed) {
      // The others need not count on this server.
      discovery.fallSilent('the log of this server has failed: it takes no part until it is restarted');
      return;
    }
    if (log.clusterId === '') this.#schedule(this.#lookEveryMs);
    else await discovery.announceCluster(log.clusterId);
  }

  async #step(): Promise<void> {
    const { log, discovery, logger, random } = this.#ports;
    const clusters = clustersOf(discovery.members());
    const [clusterId] = clusters;
    if (clusters.length > 1) {
      this.#complain(`the servers belong to ${clusters.length} clusters: which is meant? Remove those of the others from retry_join`);
    } else if (clusterId !== undefined) {
      if (!discovery.isAcceptedBy(clusterId)) return;
      logger.info('existing Raft peers reported, joining their cluster', { cluster: clusterId });
      await log.join(clusterId);
    } else if (this.#mayBootstrap()) {
      // What was heard may be a second old: everybody is asked again, and has to say the same.
      await discovery.greetAll();
      if (!this.#mayBootstrap() || clustersOf(discovery.members()).length > 0) return;
      const servers = aliveServers(discovery.members()).map(({ id, rpcAddress }) => ({ id, address: rpcAddress }));
      logger.info('found expected number of peers, attempting bootstrap', { peers: servers.map(({ address }) => address).join(',') });
      await log.bootstrap(randomUuid(random), servers);
    }
  }

  #mayBootstrap(): boolean {
    const { discovery } = this.#ports;
    const servers = aliveServers(discovery.members());
    const expect = servers.find(({ id }) => id === this.#selfId)?.bootstrapExpect ?? 0;
    if (expect === 0 || servers.length < expect || !discovery.agreesOnAlive) return false;
    const other = servers.find(({ bootstrapExpect }) => bootstrapExpect !== expect && bootstrapExpect > 0);
    if (other !== undefined) {
      this.#complain(
        `server ${other.name} has a conflicting expect value (${other.bootstrapExpect}, here ${expect}): all should expect the same number`,
      );
      return false;
    }
    const lone = servers.find(({ isBootstrap }) => isBootstrap);
    if (lone !== undefined) {
      this.#complain(`server ${lone.name} has bootstrap mode: no other server may wait for an expected number`);
      return false;
    }
    return servers[0]?.id === this.#selfId;
  }

  /** Once, until it is another. */
  #complain(what: string): void {
    if (this.#complaint !== what) this.#ports.logger.error(what);
    this.#complaint = what;
  }
}

/** In order of their ids. Servers that wait for none do not count: they join what others have made. */
function aliveServers(members: readonly ServerMember[]): readonly ServerMember[] {
  return members.filter(({ status, bootstrapExpect, isBootstrap }) => status === 'alive' && (bootstrapExpect > 0 || isBootstrap));
}

function clustersOf(members: readonly ServerMember[]): readonly string[] {
  return [...new Set(members.filter(({ status }) => status !== 'left').map(({ clusterId }) => clusterId))].filter((id) => id !== '');
}
