import { encodeJson, toBody } from './encode-json.ts';
import { encodeList, encodeRecord } from './sliced-json.ts';

/** How a kind of value looks on the wire. */
export type View<T> = (value: T, indent: boolean) => string | Buffer;

/** The same for what may be long: encoded in slices then. */
export type LongView<T> = (value: T, indent: boolean) => string | Buffer | Promise<string | Buffer>;

interface Encoded<Body> {
  compact?: Body;
  indented?: Body;
}

/**
 * Output that is kept by the value's identity: the server gives identical blocked queries the very same object, so 2,000 of them cost one
 * serialisation (design.md section 3, "one encode, many answers"). The bytes go when the value does.
 */
function shared<T extends object, Body>(encode: (value: T, indent: boolean) => Body): (value: T, indent: boolean) => Body {
  const kept = new WeakMap<T, Encoded<Body>>();
  return (value, indent) => {
    let encoded = kept.get(value);
    if (encoded === undefined) {
      encoded = {};
      kept.set(value, encoded);
    }
    const form = indent ? 'indented' : 'compact';
    encoded[form] ??= encode(value, indent);
    return encoded[form];
  };
}

export function sharedView<T extends object>(toJson: (value: T) => unknown): View<T> {
  return shared((value, indent) => toBody(encodeJson(toJson(value), indent)));
}

export function sharedListView<Item>(toJson: (item: Item) => unknown): LongView<readonly Item[]> {
  return shared((items: readonly Item[], indent) => encodeList(items, toJson, indent));
}

export function sharedRecordView<T extends object>(toRecord: (value: T) => Readonly<Record<string, unknown>>): LongView<T> {
  return shared((value, indent) => encodeRecord(toRecord(value), indent));
}
