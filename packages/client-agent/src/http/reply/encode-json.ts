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

export function toBody(json: string): string | Buffer {
  return json.length > BUFFER_FROM_LENGTH ? Buffer.from(json) : json;
}
