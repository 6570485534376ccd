/**
 * What a leader knows of one follower's log (etcd's terms).
 *
 * probe: unknown where the logs meet; one append at a time. replicate: they meet at `match`, appends are pipelined.
 * snapshot: it is behind the leader's log and gets a snapshot; no appends until that has arrived or failed.
 */
export type ProgressState = 'probe' | 'replicate' | 'snapshot';

interface Inflight {
  readonly lastIndex: number;
  readonly bytes: number;
}

/**
 * 1. `match` < `next`; everything through `match` is durable there.
 * 2. In `replicate`, appends on their way are at most the limits.
 */
export class Progress {
  match = 0;
  next: number;
  /** For check-quorum: when anything was last heard. */
  heardMs: number;
  /** The highest round of heartbeats that it has answered, and when that was sent. */
  round = 0;
  roundSentMs = -Infinity;
  /** The commit index that it was last told. */
  toldCommit = 0;
  #state: ProgressState = 'probe';
  /** Probe: an append is out. */
  #awaiting = false;
  #snapshotIndex = 0;
  #inflight: Inflight[] = [];
  #inflightBytes = 0;

  constructor(next: number, nowMs: number) {
    this.next = next;
    this.heardMs = nowMs;
  }

  get state(): ProgressState {
    return this.#state;
  }

  get snapshotIndex(): number {
    return this.#snapshotIndex;
  }

  isPaused(maxInflight: number, maxInflightBytes: number): boolean {
    if (this.#state === 'snapshot') return true;
    if (this.#state === 'probe') return this.#awaiting;
    return this.#inflight.length >= maxInflight || this.#inflightBytes >= maxInflightBytes;
  }

  becomeProbe(): void {
    this.next = this.#state === 'snapshot' ? Math.max(this.match, this.#snapshotIndex) + 1 : this.match + 1;
    this.#reset('probe');
  }

  becomeReplicate(): void {
    this.next = this.match + 1;
    this.#reset('replicate');
  }

  becomeSnapshot(index: number): void {
    this.#reset('snapshot');
    this.#snapshotIndex = index;
  }

  /** The snapshot did not get through: what it was for is still missing. */
  snapshotFailed(): void {
    this.#snapshotIndex = 0;
    this.next = this.match + 1;
    this.#reset('probe');
    // Not at once again: the next heartbeat's answer tries.
    this.#awaiting = true;
  }

  sent(lastIndex: number, bytes: number): void {
    if (this.#state === 'probe') {
      this.#awaiting = true;
      return;
    }
    if (lastIndex < this.next) return;
    this.next = lastIndex + 1;
    this.#inflight.push({ lastIndex, bytes });
    this.#inflightBytes += bytes;
  }

  /** Returns whether that is news. */
  acknowledged(index: number): boolean {
    while ((this.#inflight[0]?.lastIndex ?? Infinity) <= index) this.#freeFirst();
    if (this.#state === 'probe') this.#awaiting = false;
    this.next = Math.max(this.next, index + 1);
    if (index <= this.match) return false;
    this.match = index;
    return true;
  }

  /** False for an answer to something long superseded. */
  rejected(index: number, hintIndex: number): boolean {
    if (this.#state === 'replicate') {
      if (index <= this.match) return false;
      this.becomeProbe();
      return true;
    }
    if (this.#state === 'probe' && this.next - 1 !== index) return false;
    this.next = Math.max(Math.min(index, hintIndex + 1), this.match + 1);
    this.#awaiting = false;
    return true;
  }

  /** An answered heartbeat shows that the way is open: appends that were lost must not block for ever. */
  wayIsOpen(maxInflight: number): void {
    this.#awaiting = false;
    if (this.#state === 'replicate' && this.#inflight.length >= maxInflight) this.#freeFirst();
  }

  #freeFirst(): void {
    this.#inflightBytes -= this.#inflight.shift()?.bytes ?? 0;
  }

  #reset(state: ProgressState): void {
    this.#state = state;
    this.#awaiting = false;
    this.#inflight = [];
    this.#inflightBytes = 0;
    if (state !== 'snapshot') this.#snapshotIndex = 0;
  }
}
