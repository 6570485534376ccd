import type { Membership } from '../core/entry.ts';
import { RaftError } from '../core/errors.ts';
import { isJoint } from '../core/membership.ts';
import { unknownOutcome, type Waiter } from './waiters.ts';

interface Change extends Waiter<void> {
  readonly index: number;
  readonly term: number;
}

/** What of the core is asked. */
interface CommittedLog {
  readonly committed: number;
  termOf(index: number): number | undefined;
  snapshotAt(index: number): { readonly membership: Membership };
}

/** Those who wait for a membership change: done when its last phase is committed, also if that has made this server a leader no more. */
export class MembershipChanges {
  #waiting: Change[] = [];

  add(index: number, term: number, { resolve, reject }: Waiter<void>): void {
    this.#waiting.push({ index, term, resolve, reject });
  }

  /** After each commit, and before `leadershipLost`. */
  settle(log: CommittedLog): void {
    if (this.#waiting.length === 0) return;
    const isSettled = !isJoint(log.snapshotAt(log.committed).membership);
    this.#waiting = this.#waiting.filter(({ index, term, resolve, reject }) => {
      if (index > log.committed) return true;
      if (log.termOf(index) !== term) reject(new RaftError('not-leader', 'another leader has put something else in its place'));
      else if (isSettled) resolve();
      else return true;
      return false;
    });
  }

  leadershipLost(term: number | undefined): void {
    const lost = this.#waiting.filter((change) => change.term !== term);
    this.#waiting = this.#waiting.filter((change) => change.term === term);
    for (const { reject } of lost) reject(unknownOutcome('leadership was lost'));
  }

  failAll(why: string): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { reject } of waiting) reject(unknownOutcome(why));
  }
}
