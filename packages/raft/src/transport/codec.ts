import { Packr } from 'msgpackr/pack';
import type { Entry, EntryKind, Membership, SnapshotMeta } from '../core/entry.ts';
import { RaftError } from '../core/errors.ts';
import { decodeMembership, encodeMembership } from '../core/membership.ts';
import type { Message, MessageType } from '../core/message.ts';

/**
 * A frame is a list of messages; a message is a list that begins with its type, sender, receiver and term. Lists rather than maps: short on
 * the wire, and a reader that knows what has to stand where needs no trust in names.
 */
const packr = new Packr({
  useRecords: false,
  mapsAsObjects: true,
  moreTypes: false,
  structuredClone: false,
  bundleStrings: false,
  copyBuffers: true,
});

/** One largest command (`maxCommandBytes`), and what goes around it. */
export const MAX_FRAME_BYTES = 9 * 1024 * 1024;
const MAX_MESSAGES = 4096;
const MAX_ID_LENGTH = 256;

const TYPES: readonly MessageType[] = [
  'vote',
  'vote-reply',
  'append',
  'append-reply',
  'heartbeat',
  'heartbeat-reply',
  'snapshot',
  'timeout-now',
];
const KINDS: readonly EntryKind[] = ['command', 'noop', 'membership'];

export function encodeFrame(messages: readonly Message[]): Buffer {
  return packr.pack(messages.map(toList));
}

/** @throws RaftError `corrupt`: the connection that brought it is not to be trusted */
export function decodeFrame(bytes: Uint8Array): readonly Message[] {
  if (bytes.length > MAX_FRAME_BYTES) throw corrupt(`frame of ${bytes.length} bytes`);
  let value: unknown;
  try {
    value = packr.unpack(bytes);
  } catch {
    throw corrupt('no frame');
  }
  if (!Array.isArray(value) || value.length > MAX_MESSAGES) throw corrupt('no list of messages');
  return value.map((item) => fromList(new Fields(item)));
}

function toList(message: Message): readonly unknown[] {
  const head = [TYPES.indexOf(message.type), message.from, message.to, message.term];
  switch (message.type) {
    case 'vote':
      return [...head, message.preVote, message.lastIndex, message.lastTerm, message.transfer];
    case 'vote-reply':
      return [...head, message.preVote, message.granted];
    case 'append':
      return [...head, message.prevIndex, message.prevTerm, message.commit, message.entries.map(entryToList)];
    case 'append-reply':
      return [...head, message.index, message.rejected, message.hintIndex, message.hintTerm];
    case 'heartbeat':
      return [...head, message.commit, message.round];
    case 'heartbeat-reply':
      return [...head, message.round];
    case 'snapshot':
      return [...head, message.snapshot.index, message.snapshot.term, encodeMembership(message.snapshot.membership)];
    case 'timeout-now':
      return head;
  }
}

function entryToList({ index, term, kind, data }: Entry): readonly unknown[] {
  return [index, term, KINDS.indexOf(kind), data];
}

function fromList(fields: Fields): Message {
  const type = TYPES[fields.count()];
  const head = { from: fields.id(), to: fields.id(), term: fields.count() };
  switch (type) {
    case 'vote':
      return { type, ...head, preVote: fields.flag(), lastIndex: fields.count(), lastTerm: fields.count(), transfer: fields.flag() };
    case 'vote-reply':
      return { type, ...head, preVote: fields.flag(), granted: fields.flag() };
    case 'append': {
      const place = { prevIndex: fields.count(), prevTerm: fields.count(), commit: fields.count() };
      return { type, ...head, ...place, entries: readEntries(fields.list(), place.prevIndex, head.term) };
    }
    case 'append-reply':
      return { type, ...head, index: fields.count(), rejected: fields.flag(), hintIndex: fields.count(), hintTerm: fields.count() };
    case 'heartbeat':
      return { type, ...head, commit: fields.count(), round: fields.count() };
    case 'heartbeat-reply':
      return { type, ...head, round: fields.count() };
    case 'snapshot':
      return { type, ...head, snapshot: readMeta(fields) };
    case 'timeout-now':
      return { type, ...head };
    default:
      throw corrupt('unknown type of message');
  }
}

/** The core takes for granted that entries follow each other, and that none is of a term after its leader's. */
function readEntries(items: readonly unknown[], prevIndex: number, term: number): readonly Entry[] {
  let lastTerm = 0;
  return items.map((item, position) => {
    const fields = new Fields(item);
    const entry = { index: fields.count(), term: fields.count(), kind: KINDS[fields.count()], data: fields.bytes() };
    const { index, kind, data } = entry;
    if (kind === undefined || index !== prevIndex + 1 + position || entry.term < lastTerm || entry.term > term)
      throw corrupt('entries out of order');
    if (kind === 'membership') decodeMembership(data);
    lastTerm = entry.term;
    return { index, term: entry.term, kind, data };
  });
}

function readMeta(fields: Fields): SnapshotMeta {
  const index = fields.count();
  const term = fields.count();
  const membership: Membership = decodeMembership(fields.bytes());
  return { index, term, membership };
}

/** Reads a list from its beginning, and lets nothing pass that is not what was asked for. */
class Fields {
  readonly #items: readonly unknown[];
  #next = 0;

  constructor(value: unknown) {
    if (!Array.isArray(value)) throw corrupt('no list');
    this.#items = value;
  }

  count(): number {
    const value = this.#items[this.#next++];
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0 || Object.is(value, -0)) throw corrupt('no count');
    return value;
  }

  flag(): boolean {
    const value = this.#items[this.#next++];
    if (typeof value !== 'boolean') throw corrupt('no flag');
    return value;
  }

  id(): string {
    const value = this.#items[this.#next++];
    if (typeof value !== 'string' || value === '' || value.length > MAX_ID_LENGTH) throw corrupt('no id');
    return value;
  }

  bytes(): Uint8Array {
    const value = this.#items[this.#next++];
    if (!(value instanceof Uint8Array)) throw corrupt('no bytes');
    return value;
  }

  list(): readonly unknown[] {
    const value = this.#items[this.#next++];
    if (!Array.isArray(value)) throw corrupt('no list');
    return value;
  }
}

function corrupt(what: string): RaftError {
  return new RaftError('corrupt', `raft message: ${what}`);
}
