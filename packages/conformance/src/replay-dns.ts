import { Resolver } from 'node:dns/promises';
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { compareJson } from './replay/compare-json.ts';
import { judge, readDeviations, type RowResult } from './replay/deviations.ts';
import { describeVerdict } from './replay/describe.ts';

/** One line of testdata/observed/1.21/dns.jsonl: `name TYPE`, and the answer or the code of the resolver's error. */
export interface RecordedQuery {
  readonly query: string;
  readonly answer?: unknown;
  readonly code?: string;
}

export const RECORDED_DNS = new URL('../testdata/observed/1.21/dns.jsonl', import.meta.url);
export const DNS_DEVIATIONS = new URL('../deviations/dns.json', import.meta.url);

export function readRecordedQueries(path: URL | string): RecordedQuery[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as RecordedQuery);
}

/** Asks what was asked after the HTTP recording had been replayed on the same agent. `server` is `ip:port`. */
export async function replayDns(server: string, rows: readonly RecordedQuery[]): Promise<RowResult[]> {
  const resolver = new Resolver({ timeout: 5_000, tries: 2 });
  resolver.setServers([server]);
  const results: RowResult[] = [];
  for (const [row, recorded] of rows.entries()) {
    results.push({ row, group: 'dns', request: recorded.query, differences: compareAnswer(recorded, await ask(resolver, recorded.query)) });
  }
  return results;
}

type Asked = { readonly answer: unknown } | { readonly code: string };

async function ask(resolver: Resolver, query: string): Promise<Asked> {
  const [name = '', type = 'A'] = query.split(' ');
  try {
    return { answer: withoutType(await resolver.resolve(name, type), type) };
  } catch (error) {
    return { code: error instanceof Error && 'code' in error ? String(error.code) : String(error) };
  }
}

/** Newer versions of Node name the type inside of every answer. */
function withoutType(answer: unknown, type: string): unknown {
  if (type === 'ANY' || typeof answer !== 'object' || answer === null) return answer;
  if (Array.isArray(answer)) return answer.map((item) => withoutType(item, type));
  return Object.fromEntries(Object.entries(answer).filter(([field]) => field !== 'type'));
}

function compareAnswer(expected: RecordedQuery, actual: Asked): string[] {
  if ('code' in actual) return expected.code === actual.code ? [] : [`expected ${describe(expected)}, got ${actual.code}`];
  if (expected.code !== undefined) return [`expected ${expected.code}, got ${JSON.stringify(actual.answer)}`];
  const differences = compareJson(sorted(expected.answer), sorted(actual.answer));
  return [...differences, ...compareNames(expected.answer, actual.answer)];
}

function describe(expected: RecordedQuery): string {
  return expected.code ?? JSON.stringify(expected.answer);
}

/** Answers come in random order. */
function sorted(answer: unknown): unknown {
  return Array.isArray(answer)
    ? answer
        .map((item) => JSON.stringify(item))
        .toSorted()
        .map((item) => JSON.parse(item) as unknown)
    : answer;
}

/** Names and addresses are facts here; virtual addresses are handed out in order of use. */
function compareNames(expected: unknown, actual: unknown): string[] {
  const wanted = JSON.stringify(sorted(expected));
  const got = JSON.stringify(sorted(actual));
  const isPlain = Array.isArray(expected) && expected.every((item) => typeof item === 'string' && !item.startsWith('240.'));
  return isPlain && wanted !== got ? [`expected ${wanted}, got ${got}`] : [];
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { server: { type: 'string', default: '127.0.0.1:8600' } } });
  const verdict = judge(await replayDns(values.server, readRecordedQueries(RECORDED_DNS)), readDeviations(DNS_DEVIATIONS));
  process.stdout.write(describeVerdict(verdict));
  process.exitCode = verdict.unexpected.length + verdict.fixed.length > 0 ? 1 : 0;
}

if (import.meta.main) await main();
