/** Above this a body is kept as bytes: smaller ones go out faster in one string with their headers. */
const BUFFER_FROM_LENGTH = 4_096;
const INDENT = 4;
const HTML_UNSAFE = /[<>&\u2028\u2029]/;
const HTML_UNSAFE_ALL = /[<>&\u2028\u2029]/g;

/**
 * Serialises as Go's encoding/json does: compact or indented by four spaces, with `<`, `>`, `&` and the line separators escaped, so that a
 * browser that is made to sniff finds no markup. Undefined fields are omitted.
 */
export function encodeJson(value: unknown, indent: boolean): string {
  return escapeHtml(indent ? JSON.stringify(value, null, INDENT) : JSON.stringify(value));
}

export function escapeHtml(json: string): string {
  return HTML_UNSAFE.test(json) ? json.replace(HTML_UNSAFE_ALL, escapeCharacter) : json;
}

function escapeCharacter(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** How a kind of value looks on the wire. */
export type View<T> = (value: T, indent: boolean) => string | Buffer;

interface Encoded {
  compact?: string | Buffer;
  indented?: string | Buffer;
}

/**
 * A view whose output is kept by the value's identity: the server gives identical blocked queries the very same object, so 2,000 of them
 * cost one serialisation (design.md section 3, "one encode, many answers"). The bytes go when the value does.
 */
export function sharedView<T extends object>(toJson: (value: T) => unknown): View<T> {
  const kept = new WeakMap<T, Encoded>();
  return (value, indent) => {
    let encoded = kept.get(value);
    if (encoded === undefined) {
      encoded = {};
      kept.set(value, encoded);
    }
    const form = indent ? 'indented' : 'compact';
    encoded[form] ??= toBody(encodeJson(toJson(value), indent));
    return encoded[form];
  };
}

export function toBody(json: string): string | Buffer {
  return json.length > BUFFER_FROM_LENGTH ? Buffer.from(json) : json;
}
