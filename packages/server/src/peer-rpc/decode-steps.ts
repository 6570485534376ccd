import { measureMsgpack, MAX_ENTRY_DEPTH, type MsgpackHead, readHead, type ValueCount } from '../fsm/codec-limits.ts';
import { MAX_VALUES, VIEWED_BYTES } from './limits.ts';
import { packr, viewingPackr } from './msgpack.ts';
import { garbage } from './record.ts';
import type { Steps } from './slices.ts';

/** What is decoded in one step, in bytes, but for long texts and bytes, which are one each. */
const STEP_BYTES = 32 * 1024;

/**
 * A msgpack value, bounded and decoded as `decodeValue` does, a part of it in each step: what is short enough is given to msgpackr, and of what
 * is longer only the head is read here.
 * @throws LictorError `invalid-argument`
 */
export function* decodeSteps(bytes: Uint8Array, stepBytes = STEP_BYTES): Steps<unknown> {
  const decoder = new StepDecoder(bytes, stepBytes);
  const value = yield* decoder.value(0);
  if (decoder.position !== bytes.length) throw garbage('bytes after the value');
  return value;
}

class StepDecoder {
  position = 0;
  readonly #bytes: Uint8Array;
  readonly #stepBytes: number;
  readonly #view: DataView;
  readonly #packr: typeof packr;
  readonly #count: ValueCount = { values: 0 };
  /** What is measured in: one for many values. */
  #window: Uint8Array;
  #windowStart = 0;

  constructor(bytes: Uint8Array, stepBytes: number) {
    this.#bytes = bytes;
    this.#stepBytes = stepBytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#packr = bytes.length < VIEWED_BYTES ? packr : viewingPackr;
    this.#window = bytes.subarray(0, stepBytes);
  }

  *value(depth: number): Steps<unknown> {
    const start = this.position;
    const end = this.#shortEnd(start);
    return end === undefined ? yield* this.#long(depth) : this.#unpack(start, end);
  }

  *#long(depth: number): Steps<unknown> {
    const head = this.#head();
    if (head.children === 0) return this.#unpack(this.position, head.end);
    if (depth >= MAX_ENTRY_DEPTH) throw garbage('nested too deeply');
    this.position = head.end;
    yield;
    return head.isMap ? yield* this.#map(head.children, depth) : yield* this.#list(head.children, depth);
  }

  *#list(length: number, depth: number): Steps<unknown[]> {
    const list: unknown[] = [];
    yield* this.#children(length, depth, (value) => list.push(value));
    return list;
  }

  *#map(length: number, depth: number): Steps<Record<string, unknown>> {
    const map: Record<string, unknown> = {};
    let key: string | undefined;
    yield* this.#children(length, depth, (each) => {
      if (key === undefined) {
        key = checkedKey(each);
        return;
      }
      map[key] = each;
      key = undefined;
    });
    return map;
  }

  /** Short ones that follow each other are decoded together. */
  *#children(length: number, depth: number, add: (value: unknown) => void): Steps<void> {
    let start = this.position;
    for (let left = length; left > 0; left--) {
      const end = this.#shortEnd(this.position);
      if (end === undefined || end - start > this.#stepBytes) {
        this.#unpackAll(start, this.position, add);
        yield;
        start = this.position;
      }
      if (end !== undefined) {
        this.position = end;
        continue;
      }
      add(yield* this.#long(depth + 1));
      start = this.position;
    }
    this.#unpackAll(start, this.position, add);
  }

  /** Where the value at `at` ends when it is short; undefined when it is longer than a step. */
  #shortEnd(at: number): number | undefined {
    const end = this.#measure(at);
    if (typeof end === 'number') return end;
    if (end !== 'truncated') throw garbage(end);
    if (at > this.#windowStart) {
      this.#openWindow(at);
      return this.#shortEnd(at);
    }
    if (at + this.#window.length === this.#bytes.length) throw garbage(end);
    return undefined;
  }

  #measure(at: number): number | string {
    const start = this.#windowStart;
    const end = measureMsgpack(this.#window, at - start, MAX_VALUES - this.#count.values, this.#count);
    return typeof end === 'number' ? start + end : end;
  }

  #openWindow(at: number): void {
    this.#windowStart = at;
    this.#window = this.#bytes.subarray(at, at + this.#stepBytes);
  }

  /** Of the value here. */
  #head(): MsgpackHead {
    const head = readHead(this.#view, this.#bytes, this.position);
    if (typeof head === 'string') throw garbage(head);
    const isCut = head.end > this.#bytes.length || head.children > this.#bytes.length - head.end;
    if (isCut) throw garbage('truncated');
    if (++this.#count.values > MAX_VALUES) throw garbage('too many values');
    return head;
  }

  #unpack(start: number, end: number): unknown {
    this.position = end;
    return this.#packr.unpack(this.#bytes.subarray(start, end)) as unknown;
  }

  #unpackAll(start: number, end: number, add: (value: unknown) => void): void {
    if (start < end) this.#packr.unpackMultiple(this.#bytes.subarray(start, end), add);
  }
}

function checkedKey(key: unknown): string {
  if (typeof key !== 'string') throw garbage('a map key is not a string');
  if (key === '__proto__') throw garbage('the key __proto__ is refused');
  return key;
}
