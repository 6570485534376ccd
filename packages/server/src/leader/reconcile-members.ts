import type { Clock, Logger, Timer } from '@lictor/protocol';
import type { ServerDirectory, ServerMember } from '../cluster/directory.ts';
import type { StateReader } from '../state/types.ts';
import type { LeaderDuty } from './duty.ts';
import { corrections } from './reconcile-catalog.ts';

/** Consul's reconcile interval. */
const PERIOD_MS = 60_000;
/** After a failure; twice as long after each further one. */
const RETRY_MS = 1000;
const MAX_DOUBLINGS = 6;

export interface ReconcilePorts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly directory: ServerDirectory;
  readonly reader: () => StateReader;
  readonly propose: (type: string, body: unknown) => Promise<unknown>;
}

/**
 * Keeps the servers in the catalog: one that lives has its node with the `consul` service and a passing `serfHealth`, one that failed a
 * critical one, and one that left is gone. At the start of leadership, when the directory changes, and once a minute.
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

  constructor(selfId: string, ports: ReconcilePorts) {
    this.#selfId = selfId;
    this.#ports = ports;
  }

  /** Resolves after the first attempt. */
  async start(): Promise<void> {
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#failures = 0;
    this.#unsubscribe = this.#ports.directory.onChange(() => void this.#run());
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
    for (const member of this.#ports.directory.members()) {
      if (!this.#isRunning) return true;
      try {
        await this.#reconcile(member);
      } catch (error) {
        isComplete = false;
        this.#ports.logger.error('failed to reconcile member', { member: member.name, error });
      }
    }
    return isComplete;
  }

  async #reconcile(member: ServerMember): Promise<void> {
    const { directory, reader, propose, logger } = this.#ports;
    for (const { type, body } of corrections(reader(), member, directory.members(), this.#selfId)) {
      await propose(type, body);
      logger.info('the catalog was corrected for a member', { member: member.name, status: member.status });
    }
  }
}
