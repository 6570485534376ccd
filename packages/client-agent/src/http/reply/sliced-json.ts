import { encodeJson, escapeHtml, toBody } from './encode-json.ts';

/** Lists up to this long are written in one go. */
const ONE_GO = 256;
/** Items between two looks at the clock. */
const STEP = 32;
/** How long a slice may hold the event loop (design.md section 3, "the loop is sacred": 10 ms). */
const SLICE_MS = 5;

export type Body = string | Buffer;

/** A long list in slices, with the loop let in between; the same text as `encodeJson(items.map(toJson))`. */
export function encodeList<T>(items: readonly T[], toJson: (item: T) => unknown, indent: boolean): Body | Promise<Body> {
  if (items.length <= ONE_GO) return toBody(encodeJson(items.map(toJson), indent));
  return encodeSlices(items, (item) => indentItem(encodeJson(toJson(item), indent), indent), '[', ']', indent);
}

/** A large map in slices; the same text as `encodeJson` of the object. Undefined values must have been taken out. */
export function encodeRecord(record: Readonly<Record<string, unknown>>, indent: boolean): Body | Promise<Body> {
  const keys = Object.keys(record);
  if (keys.length <= ONE_GO) return toBody(encodeJson(record, indent));
  const colon = indent ? ': ' : ':';
  const entry = (key: string): string => escapeHtml(JSON.stringify(key)) + colon + indentItem(encodeJson(record[key], indent), indent);
  return encodeSlices(keys, entry, '{', '}', indent);
}

async function encodeSlices<T>(
  items: readonly T[],
  encode: (item: T) => string,
  open: string,
  close: string,
  indent: boolean,
): Promise<Buffer> {
  const separator = indent ? ',\n    ' : ',';
  const slices: Buffer[] = [];
  let text = indent ? `${open}\n    ` : open;
  let sliceStartMs = performance.now();
  for (let position = 0; position < items.length; position++) {
    const item = items[position];
    if (item === undefined) continue;
    text += position === 0 ? encode(item) : separator + encode(item);
    if (position % STEP !== 0 || performance.now() - sliceStartMs < SLICE_MS) continue;
    slices.push(Buffer.from(text));
    text = '';
    await new Promise<void>((resolve) => setImmediate(resolve));
    sliceStartMs = performance.now();
  }
  slices.push(Buffer.from(text + (indent ? `\n${close}` : close)));
  return Buffer.concat(slices);
}

/** JSON has no line end inside of strings, so every one here is layout. */
function indentItem(json: string, indent: boolean): string {
  return indent ? json.replaceAll('\n', '\n    ') : json;
}
