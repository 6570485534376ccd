import { readFileSync } from 'node:fs';

/** One line of testdata/observed/1.21/http.jsonl: what was asked and what real Consul answered. */
export interface RecordedRow {
  readonly group: string;
  readonly request: {
    readonly method: string;
    readonly path: string;
    readonly headers?: Readonly<Record<string, string>>;
    /** An object is sent as JSON, a string as it is; `<600000 bytes>` stands for that many. */
    readonly body?: unknown;
  };
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text?: string;
  readonly body?: unknown;
  /** The body came indented. */
  readonly pretty?: boolean;
  /** Size of a body that is not text. */
  readonly bytes?: number;
}

export function readRecorded(path: URL | string): RecordedRow[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as RecordedRow);
}

const PLACEHOLDER_BYTES = /^<(\d+) bytes>$/;

/** The body as it goes over the wire; undefined for none. */
export function requestBody(body: unknown): string | undefined {
  if (body === undefined) return undefined;
  if (typeof body !== 'string') return JSON.stringify(body);
  const size = PLACEHOLDER_BYTES.exec(body)?.[1];
  return size === undefined ? body : 'x'.repeat(Number(size));
}
