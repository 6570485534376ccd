import type { NodeStatus } from '@lictor/raft';

/**
 * Who leads, as the rest of the server is to know it: from what Raft says, but this server leads only once it has applied what its
 * predecessors have committed.
 */
export class Leadership {
  readonly #confirm: () => Promise<void>;
  readonly #leadershipListeners = new Set<(isLeader: boolean) => void>();
  readonly #leaderListeners = new Set<() => void>();
  #status: NodeStatus | undefined;
  #isLeader = false;
  #isClosed = false;

  /** `confirm` resolves when this server, of which Raft says that it leads, has applied what was committed; rejects when it leads no more. */
  constructor(confirm: () => Promise<void>) {
    this.#confirm = confirm;
  }

  get isLeader(): boolean {
    return this.#isLeader;
  }

  /** As of the last change of role, term, leader or membership. */
  get status(): NodeStatus | undefined {
    return this.#status;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  onLeadershipChange(listener: (isLeader: boolean) => void): () => void {
    this.#leadershipListeners.add(listener);
    return () => void this.#leadershipListeners.delete(listener);
  }

  onLeaderChange(listener: () => void): () => void {
    this.#leaderListeners.add(listener);
    return () => void this.#leaderListeners.delete(listener);
  }

  follow(status: NodeStatus | undefined): void {
    if (this.#isClosed) return;
    const before = this.#status;
    this.#status = status;
    if (status?.role !== 'leader') this.#setLeader(false);
    else if (before?.role !== 'leader' || before.term !== status.term) void this.#takeOver(status.term);
    if (before?.leader !== status?.leader || before?.leaderAddress !== status?.leaderAddress) this.#tellLeaderListeners();
  }

  /** There is no leader any more for this server: whoever waits for one is told. */
  lost(): void {
    this.follow(undefined);
    this.#tellLeaderListeners();
  }

  /** For good. */
  close(): void {
    this.follow(undefined);
    this.#isClosed = true;
  }

  /** Resolves when this server leads, or when `isOver` says after a change that it will not. */
  decided(isOver: () => boolean): Promise<void> {
    const isDecided = (): boolean => this.#isLeader || isOver();
    if (isDecided()) return Promise.resolve();
    return new Promise((resolve) => {
      const unsubscribe = this.onLeaderChange(() => {
        if (!isDecided()) return;
        unsubscribe();
        resolve();
      });
    });
  }

  async #takeOver(term: number): Promise<void> {
    this.#setLeader(false);
    try {
      await this.#confirm();
    } catch {
      // It does not lead any more: the next status says so.
      return;
    }
    if (this.#status?.role === 'leader' && this.#status.term === term) this.#setLeader(true);
  }

  #setLeader(isLeader: boolean): void {
    if (this.#isLeader === isLeader) return;
    this.#isLeader = isLeader;
    for (const listener of this.#leadershipListeners) listener(isLeader);
    this.#tellLeaderListeners();
  }

  #tellLeaderListeners(): void {
    for (const listener of this.#leaderListeners) listener();
  }
}
