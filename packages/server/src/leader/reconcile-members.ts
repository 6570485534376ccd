import type { Clock, Logger, Timer } from '@lictor/protocol';
import type { NodeDirectory, NodeMember } from '../cluster/directory.ts';
import type { StateReader } from '../state/types.ts';
import type { LeaderDuty } from './duty.ts';
import { Absences } from './absences.ts';
import { CATALOG_DEREGISTER, type DeregisterBody } from '../fsm/commands/catalog.ts';
import { nodeKey } from '../state/tables/nodes.ts';
import { corrections, memberNodes } from './reconcile-catalog.ts';

/** Consul's reconcile interval. */
const PERIOD_MS = 60_000;
/** After a failure; twice as long after each further one. */
const RETRY_MS = 1000;
const MAX_DOUBLINGS = 6;
/** A leader that has just started has not heard of everybody yet. */
const FORGOTTEN_AFTER_MS = 300_000;

export interface ReconcilePorts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly nodes: NodeDirectory;
  readonly reader: () => StateReader;
  readonly propose: (type: string, body: unknown) => Promise<unknown>;
}

/**
 * Keeps the members of gossip in the catalog: one that lives has its node with a passing `serfHealth`, and the `consul` service when it is
 * a server; one that failed has a critical one, and one that left is gone. At the start of leadership, when the members change, and once a minute.
 */
export class MemberReconciler implements LeaderDuty {
  readonly #selfId: string;
  readonly #ports: ReconcilePorts;
  #timer: Timer | undefined;
  #isRunning = false;
  #unsubscribe = (): void => undefined;
  /** The round under way; rounds follow each other. */
  #round: Promise<void> | undefined;
  #mustRunAgain = false;
  /** Rounds in a row that something failed in. */
  #failures = 0;
  readonly #forgotten = new Absences(FORGOTTEN_AFTER_MS);

  constructor(selfId: string, ports: ReconcilePorts) {
    this.#selfId = selfId;
    this.#ports = ports;
  }

  /** Resolves after the first attempt. */
  async start(): Promise<void> {
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#failures = 0;
    this.#forgotten.clear();
    this.#unsubscribe = this.#ports.nodes.onChange(() => void this.#run());
    await this.#run();
  }

  stop(): void {
    this.#isRunning = false;
    this.#unsubscribe();
    this.#timer?.cancel();
  }

  #run(): Promise<void> {
    if (this.#round === undefined) this.#round = this.#rounds().finally(() => (this.#round = undefined));
    else this.#mustRunAgain = true;
    return this.#round;
  }

  async #rounds(): Promise<void> {
    let isComplete = true;
    do {
      this.#mustRunAgain = false;
      isComplete = await this.#reconcileAll();
    } while (this.#mustRunAgain && this.#isRunning);
    if (!this.#isRunning) return;
    this.#failures = isComplete ? 0 : this.#failures + 1;
    const retryMs = RETRY_MS * 2 ** Math.min(this.#failures - 1, MAX_DOUBLINGS);
    this.#timer?.cancel();
    this.#timer = this.#ports.clock.setTimer(isComplete ? PERIOD_MS : Math.min(retryMs, PERIOD_MS), () => void this.#run());
  }

  /** False when something has to be tried again soon. */
  async #reconcileAll(): Promise<boolean> {
    let isComplete = true;
    for (const member of this.#ports.nodes.members()) {
      if (!this.#isRunning) return true;
      try {
        await this.#reconcile(member);
      } catch (error) {
        isComplete = false;
        this.#ports.logger.error('failed to reconcile member', { member: member.name, error });
      }
    }
    return (await this.#removeForgotten()) && isComplete;
  }

  /** Nodes of members that gossip has forgotten: false when one has to be tried again soon. */
  async #removeForgotten(): Promise<boolean> {
    const { clock, nodes, reader, propose, logger } = this.#ports;
    const known = new Set(nodes.members().map(({ name }) => nodeKey(name)));
    for (const node of this.#forgotten.missing(memberNodes(reader()), known, clock.monotonic())) {
      if (!this.#isRunning) return true;
      try {
        await propose(CATALOG_DEREGISTER, { node, serviceId: '', checkId: '' } satisfies DeregisterBody);
        logger.info('deregistered a node whose member is forgotten', { node });
      } catch (error) {
        logger.error('failed to deregister a forgotten node', { node, error });
        return false;
      }
    }
    return true;
  }

  async #reconcile(member: NodeMember): Promise<void> {
    const { nodes, reader, propose, logger } = this.#ports;
    for (const { type, body } of corrections(reader(), member, nodes.members(), this.#selfId)) {
      await propose(type, body);
      logger.info('the catalog was corrected for a member', { member: member.name, status: member.status });
    }
  }
}
