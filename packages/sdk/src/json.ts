/**
 * JSON with 64-bit integers. Go writes uint64 (KV flags, hashes) as plain numbers; above 2^53 JSON.parse would silently
 * round them, so those become bigints, and bigints are written as plain digits.
 */
const MAYBE_UNSAFE_INTEGER = /[:,[\s]-?\d{16,}/;
const INTEGER = /^-?\d+$/;

interface SourceAwareJson {
  parse(text: string, reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown): unknown;
  rawJSON(text: string): unknown;
}
/** ECMAScript's JSON.parse source text access, which the type library does not know yet; Node has it since 21. */
const json = JSON as unknown as SourceAwareJson;

/** @throws SyntaxError */
export function parseJson(text: string): unknown {
  if (!MAYBE_UNSAFE_INTEGER.test(text)) return JSON.parse(text);
  return json.parse(text, (_key, value, context) => {
    if (typeof value !== 'number' || Number.isSafeInteger(value) || context.source === undefined) return value;
    return INTEGER.test(context.source) ? BigInt(context.source) : value;
  });
}

/** Indented by `indent` when given, as Go's MarshalIndent does (empty maps and lists stay on one line). */
export function stringifyJson(value: unknown, indent?: string): string {
  return JSON.stringify(value, (_key, field: unknown) => (typeof field === 'bigint' ? json.rawJSON(String(field)) : field), indent);
}
