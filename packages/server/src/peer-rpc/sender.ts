import { Body } from './body.ts';
import { BATCH_BYTES, PART_BYTES, WINDOW_BYTES } from './limits.ts';
import type { Kind } from './protocol.ts';
import { encodeFrame, HEADER_BYTES, type FrameRecord } from './record.ts';

/** A value on its way out. */
export interface Outgoing {
  readonly kind: Kind;
  readonly id: number;
  readonly body: Uint8Array | Body;
  /** All of it has been given to the connection: the peer may have it. */
  isSent: boolean;
  /** Nobody waits for it any more: it stays here. */
  isDropped: boolean;
}

/** Of what waits to be sent; a value that begins below may pass it. */
export interface SenderLimits {
  readonly maxShortBytes: number;
  readonly maxLongBytes: number;
}

interface Long {
  readonly outgoing: Outgoing;
  readonly body: Body;
  offset: number;
}

/**
 * Puts records into frames: all short ones of one turn of the event loop together, and one part of one long value with each frame, in
 * turns, so that nothing short ever waits for a long value, nor a long one for all that is short.
 */
export class RecordSender {
  readonly #write: (frame: Buffer, taken: () => void) => void;
  readonly #nextTurn: (run: () => void) => void;
  #short: Outgoing[] = [];
  /** By id, in the order of their turns. */
  readonly #long = new Map<number, Long>();
  #shortBytes = 0;
  #longBytes = 0;
  #writtenBytes = 0;
  #isScheduled = false;
  #isOpen = false;

  constructor(write: (frame: Buffer, taken: () => void) => void, nextTurn: (run: () => void) => void = (run) => void setImmediate(run)) {
    this.#write = write;
    this.#nextTurn = nextTurn;
  }

  /** Of short values that wait. */
  get shortBytes(): number {
    return this.#shortBytes;
  }

  /** Long values wait apart: one that takes its time keeps nothing short from being sent. */
  hasRoomFor(body: Uint8Array | Body, limits: SenderLimits): boolean {
    return body.length > PART_BYTES ? this.#longBytes <= limits.maxLongBytes : this.#shortBytes <= limits.maxShortBytes;
  }

  send(kind: Kind, id: number, body: Uint8Array | Body): Outgoing {
    const outgoing = { kind, id, body, isSent: false, isDropped: false };
    if (body.length > PART_BYTES) {
      this.#long.set(id, { outgoing, body: body instanceof Body ? body : new Body([body]), offset: 0 });
      this.#longBytes += body.length;
    } else {
      this.#short.push(outgoing);
      this.#shortBytes += HEADER_BYTES + body.length;
    }
    this.#schedule();
    return outgoing;
  }

  /** Lets go of what is left of a long value. */
  drop(id: number): void {
    const long = this.#long.get(id);
    if (long === undefined) return;
    this.#longBytes -= long.body.length - long.offset;
    this.#long.delete(id);
  }

  /** Until then everything waits. */
  open(): void {
    this.#isOpen = true;
    this.#schedule();
  }

  close(): void {
    this.#isOpen = false;
    this.#short = [];
    this.#long.clear();
    this.#shortBytes = 0;
    this.#longBytes = 0;
  }

  #schedule(): void {
    if (this.#isScheduled || !this.#isOpen) return;
    this.#isScheduled = true;
    this.#nextTurn(() => {
      this.#isScheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    while (this.#isOpen && this.#writtenBytes < WINDOW_BYTES) {
      const records = this.#takeShort();
      this.#takePart(records);
      if (records.length === 0) return;
      const frame = encodeFrame(records);
      this.#writtenBytes += frame.length;
      this.#write(frame, () => this.#taken(frame.length));
    }
  }

  #taken(bytes: number): void {
    const wasFull = this.#writtenBytes >= WINDOW_BYTES;
    this.#writtenBytes -= bytes;
    if (wasFull && (this.#short.length > 0 || this.#long.size > 0)) this.#schedule();
  }

  #takeShort(): FrameRecord[] {
    const records: FrameRecord[] = [];
    let bytes = 0;
    let count = 0;
    for (const outgoing of this.#short) {
      if (bytes >= BATCH_BYTES) break;
      count++;
      this.#shortBytes -= HEADER_BYTES + outgoing.body.length;
      if (outgoing.isDropped) continue;
      bytes += HEADER_BYTES + outgoing.body.length;
      outgoing.isSent = true;
      records.push(wholeRecord(outgoing));
    }
    if (count === this.#short.length) this.#short = [];
    else this.#short.splice(0, count);
    return records;
  }

  #takePart(records: FrameRecord[]): void {
    const [next] = this.#long.values();
    if (next === undefined) return;
    const { outgoing, body, offset } = next;
    const { kind, id } = outgoing;
    const end = Math.min(body.length, offset + PART_BYTES);
    const isLast = end === body.length;
    const part = offset === 0 ? 'first' : isLast ? 'last' : 'middle';
    records.push({ kind, part, id, body: body.slice(offset, end), valueBytes: body.length });
    this.#longBytes -= end - offset;
    next.offset = end;
    this.#long.delete(id);
    if (isLast) outgoing.isSent = true;
    else this.#long.set(id, next);
  }
}

function wholeRecord({ kind, id, body }: Outgoing): FrameRecord {
  const bytes = body instanceof Body ? body.slice(0, body.length) : body;
  return { kind, part: 'whole', id, body: bytes, valueBytes: bytes.length };
}
