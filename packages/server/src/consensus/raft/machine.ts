import type { Clock } from '@lictor/protocol';
import { LictorError } from '@lictor/protocol';
import type { Entry, StateMachine } from '@lictor/raft';
import { decodeCommand, encodeCommand } from '../../fsm/codec.ts';
import { collectChunks, RESTORE_ABANDON, RESTORE_COMMIT, type RestoreCommitBody } from '../../fsm/commands/restore.ts';
import type { Fsm, Outcome } from '../../fsm/fsm.ts';
import { decodeSnapshot, encodeSnapshot, inSlices, SnapshotDecoder } from '../../fsm/snapshot/index.ts';
import { ALL_TABLES } from '../../state/tables/index.ts';

/** What became of one command. `index`: of the state, see `FsmMachine`. */
export interface Applied {
  readonly index: number;
  readonly outcome: Outcome;
}

const OFFSET_BYTES = 8;
/** Decoding one takes about a millisecond. */
const PIECE_BYTES = 64 * 1024;
/** How every encoded restore.commit begins: `type` is its first field. */
const RESTORE_PREFIX = commandPrefix(RESTORE_COMMIT);
const LAST = RESTORE_PREFIX.length - 1;

/**
 * The state as Raft's state machine.
 *
 * Indexes of the state run ahead of the log's by an offset, which is 0 until a snapshot is restored whose indexes are higher than the
 * log's: readers who block must never see an index go back. The offset is part of the state, and so of its snapshots.
 */
export class FsmMachine implements StateMachine {
  readonly #fsm: Fsm;
  readonly #clock: Clock;
  #offset = 0;

  constructor(fsm: Fsm, clock: Clock) {
    this.#fsm = fsm;
    this.#clock = clock;
  }

  apply(entries: readonly Entry[]): readonly Applied[] | Promise<readonly Applied[]> {
    return entries.some(isRestore) ? this.#applyWithRestores(entries) : this.#applyPlain(entries);
  }

  snapshot(): AsyncIterable<Uint8Array> {
    const state = this.#fsm.store.snapshot();
    const offset = Buffer.alloc(OFFSET_BYTES);
    offset.writeBigInt64BE(BigInt(this.#offset));
    return slices(offset, encodeSnapshot(state));
  }

  async restore(state: AsyncIterable<Uint8Array>): Promise<void> {
    const decoder = new SnapshotDecoder(ALL_TABLES);
    let head: Buffer = Buffer.alloc(0);
    let offset: number | undefined;
    const feed = async (bytes: Uint8Array): Promise<void> => {
      await inSlices(
        this.#clock,
        inPieces(bytes, (piece) => decoder.push(piece)),
      );
    };
    for await (const part of state) {
      if (offset !== undefined) {
        await feed(part);
        continue;
      }
      head = Buffer.concat([head, part]);
      if (head.length < OFFSET_BYTES) continue;
      offset = Number(head.readBigInt64BE());
      await feed(head.subarray(OFFSET_BYTES));
    }
    if (offset === undefined) throw new LictorError('internal', 'a snapshot of the state is too short');
    const decoded = decoder.finish();
    this.#offset = offset;
    this.#fsm.store.replace(decoded.tables, decoded.lastIndex);
  }

  #applyPlain(entries: readonly Entry[]): readonly Applied[] {
    const offset = this.#offset;
    const outcomes = this.#fsm.apply(entries.map(({ index, data }) => ({ index: index + offset, bytes: data })));
    return outcomes.map((outcome, position) => ({ index: (entries[position]?.index ?? 0) + offset, outcome }));
  }

  async #applyWithRestores(entries: readonly Entry[]): Promise<readonly Applied[]> {
    const applied: Applied[] = [];
    for (const entry of entries) {
      if (isRestore(entry)) applied.push(await this.#restoreFromLog(entry));
      else applied.push(...this.#applyPlain([entry]));
    }
    return applied;
  }

  /** Total like every command: a state that cannot be read changes nothing. */
  async #restoreFromLog(entry: Entry): Promise<Applied> {
    const { store } = this.#fsm;
    const index = entry.index + this.#offset;
    try {
      const bytes = collectChunks(store.snapshot().reader(), decodeCommand(entry.data).body as RestoreCommitBody);
      const decoded = await inSlices(this.#clock, decodeSnapshot(bytes, ALL_TABLES));
      const restoredAt = Math.max(decoded.lastIndex + 1, index);
      this.#offset += restoredAt - index;
      store.replace(decoded.tables, restoredAt);
      return { index: restoredAt, outcome: { ok: true, result: restoredAt } };
    } catch (thrown) {
      this.#fsm.apply([{ index, bytes: encodeCommand({ type: RESTORE_ABANDON, version: 1, timeMs: 0, body: {} }) }]);
      return { index, outcome: { ok: false, error: LictorError.from(thrown) } };
    }
  }
}

function isRestore({ data }: Entry): boolean {
  // One byte tells for almost every command.
  return data[LAST] === RESTORE_PREFIX[LAST] && RESTORE_PREFIX.equals(data.subarray(0, RESTORE_PREFIX.length));
}

function commandPrefix(type: string): Buffer {
  const bytes = Buffer.from(encodeCommand({ type, version: 1, timeMs: 0, body: 0 }));
  return bytes.subarray(0, bytes.indexOf(type) + type.length);
}

/** A yield is a pause. */
function* inPieces(bytes: Uint8Array, take: (piece: Uint8Array) => void): Generator<undefined, void, undefined> {
  for (let start = 0; start < bytes.length; start += PIECE_BYTES) {
    take(bytes.subarray(start, start + PIECE_BYTES));
    yield;
  }
}

async function* slices(first: Uint8Array, rest: Generator<Uint8Array, void, undefined>): AsyncGenerator<Uint8Array> {
  yield first;
  yield* rest;
}
