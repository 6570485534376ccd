import { parseArgs } from 'node:util';
import { compareRow } from './replay/compare-row.ts';
import { describeVerdict } from './replay/describe.ts';
import { judge, readDeviations, type RowResult } from './replay/deviations.ts';
import { exchange } from './replay/exchange.ts';
import { readRecorded, type RecordedRow, requestBody } from './replay/recorded.ts';
import { Variables } from './replay/variables.ts';

export const RECORDED_HTTP = new URL('../testdata/observed/1.21/http.jsonl', import.meta.url);
export const HTTP_DEVIATIONS = new URL('../deviations/http.json', import.meta.url);

/** The groups that have endpoints so far. */
export const HTTP_GROUPS = [
  'general',
  'status',
  'agent-services',
  'agent-checks',
  'agent-other',
  'catalog',
  'health',
  'kv',
  'session',
  'txn',
  'event',
  'coordinate',
  'config',
  'intentions',
  'ca',
  'operator',
  'query',
  'snapshot',
] as const;

export interface ReplayOptions {
  /** Of a freshly started `agent -dev -node=obs`. */
  readonly baseUrl: string;
  readonly rows: readonly RecordedRow[];
  /** Compared; the others are sent too, since later rows build on them. */
  readonly groups: readonly string[];
}

/** Sends the recorded requests in their order and says how each answer differs from Consul's. */
export async function replayHttp(options: ReplayOptions): Promise<RowResult[]> {
  const variables = new Variables();
  const results: RowResult[] = [];
  for (const [row, recorded] of options.rows.entries()) {
    const { method, headers = {}, body } = recorded.request;
    const path = encodeTarget(variables.substitute(recorded.request.path));
    const sent = requestBody(body);
    const answer = await exchange(options.baseUrl, method, path, headers, sent === undefined ? undefined : variables.substitute(sent));
    variables.learn(recorded, answer);
    if (method === 'PUT' && recorded.request.path === '/v1/agent/reload') await forgetServices(options.baseUrl);
    if (!options.groups.includes(recorded.group)) continue;
    results.push({ row, group: recorded.group, request: `${method} ${recorded.request.path}`, differences: compareRow(recorded, answer) });
  }
  return results;
}

/** The recording has what a client library would have encoded. */
function encodeTarget(path: string): string {
  return path.replace(/[^\x21-\x7e]/g, (character) => encodeURIComponent(character));
}

/**
 * Consul's reload without a data directory forgets what was registered over the API (agent.go: services are unloaded, then loaded from files
 * only). Lictor keeps it, which is what users want; the rest of the recording was made on an agent that had forgotten.
 */
async function forgetServices(baseUrl: string): Promise<void> {
  for (const [listPath, deregisterPath] of [
    ['/v1/agent/services', '/v1/agent/service/deregister/'],
    ['/v1/agent/checks', '/v1/agent/check/deregister/'],
  ] as const) {
    const { body } = await exchange(baseUrl, 'GET', listPath, {}, undefined);
    for (const id of Object.keys(JSON.parse(body.toString()) as object)) {
      await exchange(baseUrl, 'PUT', deregisterPath + encodeURIComponent(id), {}, undefined);
    }
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      base: { type: 'string', default: 'http://127.0.0.1:8500' },
      group: { type: 'string', multiple: true },
    },
  });
  const groups = values.group ?? HTTP_GROUPS;
  const results = await replayHttp({ baseUrl: values.base, rows: readRecorded(RECORDED_HTTP), groups });
  const verdict = judge(results, readDeviations(HTTP_DEVIATIONS));
  process.stdout.write(describeVerdict(verdict));
  process.exitCode = verdict.unexpected.length + verdict.fixed.length > 0 ? 1 : 0;
}

if (import.meta.main) await main();
