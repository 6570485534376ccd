import type { Entry, NodeId } from '../core/entry.ts';

/** What a broken promise of Raft looks like; the message names it. */
export class SafetyViolation extends Error {
  override readonly name = 'SafetyViolation';
}

/** Watches a whole cluster for the safety properties of Raft (figure 3). */
export class SafetyObserver {
  readonly #leaders = new Map<number, NodeId>();
  /** The state machine after each index, as a hash. */
  readonly #states: (number | undefined)[] = [0];
  /** Every entry that any server has applied, by index. */
  readonly #applied: (Entry | undefined)[] = [];
  /** The term in which each of them was committed, or a later one: of the first server to apply it. */
  readonly #committedIn: number[] = [];
  #appliedMax = 0;

  /** Highest index that anyone has applied. */
  get appliedMax(): number {
    return this.#appliedMax;
  }

  appliedAt(index: number): Entry | undefined {
    return this.#applied[index];
  }

  /** Election safety. `lastIndex` and `termAt` tell of its log at that moment, for leader completeness. */
  becameLeader(id: NodeId, term: number, termAt: (index: number) => number | undefined): void {
    const known = this.#leaders.get(term);
    if (known !== undefined && known !== id) throw new SafetyViolation(`election safety: ${known} and ${id} lead in term ${term}`);
    this.#leaders.set(term, id);
    for (let index = this.#appliedMax; index > Math.max(0, this.#appliedMax - 200); index--) {
      const entry = this.#applied[index];
      // Who leads in an older term, by votes that came late, need not have it, and can do nothing with that.
      if (entry === undefined || (this.#committedIn[index] ?? 0) >= term) continue;
      const held = termAt(index);
      if (held !== undefined && held !== entry.term)
        throw new SafetyViolation(`leader completeness: ${id} in term ${term} lacks entry ${index}`);
      if (held === undefined && index === this.#appliedMax) throw new SafetyViolation(`leader completeness: ${id} ends before ${index}`);
    }
  }

  /** State-machine safety. `term` is that server's; `previous` what it had applied before; `state` its state machine afterwards. */
  applied(id: NodeId, term: number, entry: Entry, previous: number, state: number): void {
    if (entry.index !== previous + 1) throw new SafetyViolation(`${id} applies ${entry.index} after ${previous}`);
    const expected = (this.#states[entry.index] ??= state);
    if (expected !== state) throw new SafetyViolation(`state-machine safety: ${id} has another state after ${entry.index}`);
    const known = this.#applied[entry.index];
    if (known === undefined) {
      this.#applied[entry.index] = entry;
      this.#committedIn[entry.index] = term;
      this.#appliedMax = Math.max(this.#appliedMax, entry.index);
      return;
    }
    if (known.term !== entry.term || known.kind !== entry.kind || !Buffer.from(known.data).equals(entry.data)) {
      throw new SafetyViolation(
        `state-machine safety: ${id} applies another entry at ${entry.index} (term ${entry.term}, was ${known.term})`,
      );
    }
  }
}

/** The next state of a state machine that remembers everything it was ever given. */
export function nextState(state: number, entry: Entry): number {
  let next = Math.imul(state ^ entry.index, 0x01000193) ^ Math.imul(entry.term, 0x9e3779b1);
  for (const byte of entry.data) next = Math.imul(next ^ byte, 0x01000193);
  return next | 0;
}
