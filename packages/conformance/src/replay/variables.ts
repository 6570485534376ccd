import type { Answer } from './exchange.ts';
import type { RecordedRow } from './recorded.ts';

/** Names that stand for what an earlier answer gave: `{{sid}}`. */
export class Variables {
  readonly #values = new Map<string, string>();

  substitute(text: string): string {
    return text.replace(/\{\{(\w+)\}\}/g, (whole, name: string) => this.#values.get(name) ?? whole);
  }

  /** Takes what later rows need. */
  learn(row: RecordedRow, answer: Answer): void {
    const { method, path } = row.request;
    const body = parse(answer.body);
    if (path === '/v1/agent/service/web-sidecar-proxy') this.#first('hash', answer.headers['x-consul-contenthash']);
    if (path === '/v1/agent/connect/ca/roots') this.#first('td', body['TrustDomain']);
    if (method === 'PUT' && path === '/v1/session/create') this.#firstOf(['sid', 'sid2'], body['ID']);
    if (method === 'POST' && path === '/v1/connect/intentions') this.#first('iid', body['ID']);
    if (method === 'POST' && path === '/v1/query') this.#first('qid', body['ID']);
  }

  #first(name: string, value: unknown): void {
    this.#firstOf([name], value);
  }

  #firstOf(names: readonly string[], value: unknown): void {
    const free = names.find((name) => !this.#values.has(name));
    if (free !== undefined && typeof value === 'string') this.#values.set(free, value);
  }
}

function parse(body: Buffer): Record<string, unknown> {
  try {
    const value = JSON.parse(body.toString()) as unknown;
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
