declare global {
  interface JSON {
    /** ECMAScript "JSON.parse source text access": a value that JSON.stringify writes as the given text. */
    rawJSON(text: string): object;
  }
}

/** An integer of any size in JSON: digits beyond 2^53 must survive. */
export function jsonInteger(value: number | bigint): number | object {
  return typeof value === 'bigint' ? JSON.rawJSON(value.toString()) : value;
}
