import { percentDecode } from './percent.ts';

const MAX_PARAMETERS = 1_000;
const NO_VALUES: readonly string[] = [];

/** The parameters of a request target, as Go's `url.Values`. */
export class QueryString {
  readonly #values: ReadonlyMap<string, readonly string[]>;

  constructor(values: ReadonlyMap<string, readonly string[]>) {
    this.#values = values;
  }

  /** The first value, or empty. */
  get(name: string): string {
    return this.#values.get(name)?.[0] ?? '';
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  all(name: string): readonly string[] {
    return this.#values.get(name) ?? NO_VALUES;
  }

  /** Sorted by name, as Go's `Values.Encode()` prints them, but for the token: the text goes into errors, and those into the log. */
  encode(): string {
    const parts: string[] = [];
    for (const name of [...this.#values.keys()].sort()) {
      for (const value of this.all(name)) parts.push(name === 'token' ? 'token=<hidden>' : `${escape(name)}=${escape(value)}`);
    }
    return parts.join('&');
  }
}

const EMPTY_QUERY = new QueryString(new Map());

/** Undefined when an escape is malformed, for `;` as a separator (Go refuses it: proxies disagree on it), or with too many parameters. */
export function parseQueryString(raw: string): QueryString | undefined {
  if (raw === '') return EMPTY_QUERY;
  if (raw.includes(';')) return undefined;
  const values = new Map<string, string[]>();
  const pairs = raw.split('&', MAX_PARAMETERS + 1);
  if (pairs.length > MAX_PARAMETERS) return undefined;
  for (const pair of pairs) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const name = percentDecode(equals < 0 ? pair : pair.slice(0, equals), true);
    const value = equals < 0 ? '' : percentDecode(pair.slice(equals + 1), true);
    if (name === undefined || value === undefined) return undefined;
    const known = values.get(name);
    if (known === undefined) values.set(name, [value]);
    else known.push(value);
  }
  return new QueryString(values);
}

function escape(text: string): string {
  return encodeURIComponent(text).replaceAll('%20', '+');
}
