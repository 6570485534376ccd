import type { HardState, NodeId } from '../../core/entry.ts';
import { RaftError } from '../../core/errors.ts';
import type { Message } from '../../core/message.ts';
import { SafetyViolation } from '../../testing/observers.ts';
import type { Applied } from '../waiters.ts';
import type { History } from './storm-machine.ts';

/** What servers have promised: to each other in messages, and to whoever proposes and reads. */
export class StormObserver {
  readonly #history: History;
  readonly #promisedTerms = new Map<NodeId, number>();
  readonly #votes = new Map<string, NodeId>();
  readonly #leaders = new Map<number, NodeId>();
  readonly #refused = new Set<string>();
  /** Highest index whose proposer was told that it is applied. */
  acknowledged = 0;
  acknowledgements = 0;
  reads = 0;
  /** Proposals and reads that nobody has answered yet. */
  waiting = 0;

  constructor(history: History) {
    this.#history = history;
  }

  /** Everything that a server says. `durable`: what its disk holds at that moment. */
  sent(message: Message, durable: HardState | undefined): void {
    const { from, to, term, type } = message;
    if (type === 'append' || type === 'heartbeat') this.#leads(from, term);
    if (type === 'vote-reply' && (message.preVote || !message.granted)) return;
    if (type !== 'vote-reply' && type !== 'append-reply') return;
    if ((durable?.term ?? 0) < term) throw new SafetyViolation(`${from} answers in term ${term}, which is not durable`);
    if (type === 'vote-reply' && durable?.term === term && durable.vote !== to)
      throw new SafetyViolation(`${from} has not stored its vote`);
    // Both speak of what is durable: no restart may take it back.
    const promised = this.#promisedTerms.get(from) ?? 0;
    if (term < promised) throw new SafetyViolation(`${from} answers in term ${term} after it has in ${promised}`);
    this.#promisedTerms.set(from, term);
    if (type !== 'vote-reply') return;
    const key = `${from} ${term}`;
    const before = this.#votes.get(key) ?? to;
    if (before !== to) throw new SafetyViolation(`${from} votes for ${before} and ${to} in term ${term}`);
    this.#votes.set(key, to);
  }

  #leads(id: NodeId, term: number): void {
    const leader = this.#leaders.get(term) ?? id;
    if (leader !== id) throw new SafetyViolation(`${leader} and ${id} lead in term ${term}`);
    this.#leaders.set(term, id);
  }

  /** Returns when it is known what becomes of it. */
  async proposed(command: string, outcome: Promise<Applied>): Promise<void> {
    this.waiting++;
    try {
      const { index } = await outcome;
      if (this.#history.get(index) !== command) throw new SafetyViolation(`${command} was acknowledged at ${index}, which is another one`);
      this.acknowledged = Math.max(this.acknowledged, index);
      this.acknowledgements++;
    } catch (thrown) {
      if (!(thrown instanceof RaftError)) throw thrown;
      if (thrown.code !== 'outcome-unknown') this.#refused.add(command);
    } finally {
      this.waiting--;
    }
  }

  /** `position`: of the state that the read is answered from. */
  async read(answered: Promise<void>, position: () => number): Promise<void> {
    const floor = this.acknowledged;
    this.waiting++;
    try {
      await answered;
      this.reads++;
      this.readFrom(position(), floor);
    } catch (thrown) {
      if (!(thrown instanceof RaftError)) throw thrown;
    } finally {
      this.waiting--;
    }
  }

  readFrom(position: number, floor = this.acknowledged): void {
    if (position < floor) throw new SafetyViolation(`a read at ${position} misses the acknowledged write ${floor}`);
  }

  /** In the end: nothing is lost, nothing is there that was refused. */
  ended(indexes: readonly number[]): void {
    const all = this.#history.through(Infinity);
    if (all.join() !== indexes.join()) throw new SafetyViolation('what was applied once is not there in the end');
    const refused = all.find((index) => this.#refused.has(this.#history.get(index) ?? ''));
    if (refused !== undefined) throw new SafetyViolation(`${this.#history.get(refused) ?? ''} was refused and applied at ${refused}`);
    if (this.waiting > 0) throw new Error(`${this.waiting} proposals and reads were never answered`);
  }
}
