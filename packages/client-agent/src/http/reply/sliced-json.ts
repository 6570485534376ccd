import { encodeJson, escapeHtml, toBody } from './encode-json.ts';
import { nextSlice } from './slice-turns.ts';

/** What is written in one go: so many items, and so much text. */
const ONE_GO = 256;
const ONE_GO_LENGTH = 256 * 1024;
/** Items, and text, between two looks at the clock. */
const STEP = 32;
const STEP_LENGTH = 64 * 1024;
/** How long a slice may hold the event loop (design.md section 3, "the loop is sacred": 10 ms in all). */
const SLICE_MS = 3;

export type Body = string | Buffer;

/** A long list in slices, with the loop let in between; the same text as `encodeJson(items.map(toJson))`. */
export function encodeList<T>(items: readonly T[], toJson: (item: T) => unknown, indent: boolean): Body | Promise<Body> {
  return encodeAll(items, (item) => indentItem(encodeJson(toJson(item), indent), indent), '[', ']', indent);
}

/** A large map in slices; the same text as `encodeJson` of the object. Undefined values must have been taken out. */
export function encodeRecord(record: Readonly<Record<string, unknown>>, indent: boolean): Body | Promise<Body> {
  const colon = indent ? ': ' : ':';
  const entry = (key: string): string => escapeHtml(JSON.stringify(key)) + colon + indentItem(encodeJson(record[key], indent), indent);
  return encodeAll(Object.keys(record), entry, '{', '}', indent);
}

function encodeAll<T>(
  items: readonly T[],
  encode: (item: T) => string,
  open: string,
  close: string,
  indent: boolean,
): Body | Promise<Body> {
  if (items.length === 0) return open + close;
  const writer = new ListWriter(items, encode, indent ? `${open}\n    ` : open, indent ? ',\n    ' : ',', indent ? `\n${close}` : close);
  if (items.length <= ONE_GO) writer.write((written) => written < ONE_GO_LENGTH);
  return writer.isDone ? toBody(writer.takeText()) : inSlices(writer);
}

async function inSlices(writer: ListWriter<unknown>): Promise<Buffer> {
  const slices: Buffer[] = [];
  do {
    await nextSlice();
    const endMs = performance.now() + SLICE_MS;
    writer.write(() => performance.now() < endMs);
    slices.push(Buffer.from(writer.takeText()));
  } while (!writer.isDone);
  return concatInSlices(slices);
}

/** Copying tens of megabytes takes its time, too. */
async function concatInSlices(slices: readonly Buffer[]): Promise<Buffer> {
  const [first] = slices;
  if (first !== undefined && slices.length === 1) return first;
  const whole = Buffer.allocUnsafeSlow(slices.reduce((bytes, { length }) => bytes + length, 0));
  let at = 0;
  let endMs = performance.now() + SLICE_MS;
  for (const slice of slices) {
    whole.set(slice, at);
    at += slice.length;
    if (performance.now() < endMs) continue;
    await nextSlice();
    endMs = performance.now() + SLICE_MS;
  }
  return whole;
}

/** The text of a list, as much of it at a time as is asked for. */
class ListWriter<out T> {
  readonly #count: number;
  readonly #textAt: (position: number) => string;
  readonly #separator: string;
  readonly #close: string;
  #text: string;
  #position = 0;

  constructor(items: readonly T[], encode: (item: T) => string, open: string, separator: string, close: string) {
    this.#count = items.length;
    this.#textAt = (position) => encode(items[position] as T);
    this.#text = open;
    this.#separator = separator;
    this.#close = close;
  }

  get isDone(): boolean {
    return this.#position === this.#count;
  }

  /** What has been written since it was last taken. */
  takeText(): string {
    const text = this.#text;
    this.#text = '';
    return text;
  }

  /** Writes on until the end, or until `mayGoOn` says no; it is asked now and then how it is with so much text. */
  write(mayGoOn: (length: number) => boolean): void {
    let lookedAt = 0;
    while (this.#position < this.#count) {
      this.#text += this.#position === 0 ? this.#textAt(0) : this.#separator + this.#textAt(this.#position);
      this.#position++;
      if (this.#position % STEP !== 0 && this.#text.length - lookedAt < STEP_LENGTH) continue;
      lookedAt = this.#text.length;
      if (!mayGoOn(lookedAt)) break;
    }
    if (this.isDone) this.#text += this.#close;
  }
}

/** JSON has no line end inside of strings, so every one here is layout. */
function indentItem(json: string, indent: boolean): string {
  return indent ? json.replaceAll('\n', '\n    ') : json;
}
