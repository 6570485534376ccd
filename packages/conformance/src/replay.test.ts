import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePorts } from '@lictor/protocol/testing';
import { describeVerdict } from './replay/describe.ts';
import { judge, readDeviations } from './replay/deviations.ts';
import { exchange } from './replay/exchange.ts';
import { readRecorded } from './replay/recorded.ts';
import { DNS_DEVIATIONS, readRecordedQueries, RECORDED_DNS, replayDns } from './replay-dns.ts';
import { HTTP_DEVIATIONS, HTTP_GROUPS, RECORDED_HTTP, replayHttp } from './replay-http.ts';

const MAIN = fileURLToPath(new URL('../../cli/src/main.ts', import.meta.url));
const PORTS = ['http', 'dns', 'grpc', 'grpc-tls', 'server', 'serf-lan', 'serf-wan'] as const;

let agent: ChildProcess;
let ports: Readonly<Record<(typeof PORTS)[number], number>>;

beforeAll(async () => {
  const free = await freePorts(PORTS.length);
  ports = Object.fromEntries(PORTS.map((name, position) => [name, free[position]])) as typeof ports;
  const flags = PORTS.map((name) => `-${name}-port=${ports[name]}`);
  agent = spawn(process.execPath, ['--conditions=lictor-source', MAIN, 'agent', '-dev', '-node=obs', '-log-level=error', ...flags], {
    stdio: 'ignore',
  });
}, 60_000);

afterAll(() => {
  agent.kill('SIGKILL');
});

describe('what real Consul 1.21 answered', () => {
  it('is what a fresh agent answers, but for the listed deviations', async () => {
    await expect.poll(leader, { timeout: 30_000, interval: 100 }).toContain(String(ports.server));
    const base = { baseUrl: `http://127.0.0.1:${ports.http}`, rows: readRecorded(RECORDED_HTTP), groups: HTTP_GROUPS };
    const http = judge(await replayHttp(base), readDeviations(HTTP_DEVIATIONS));
    expect(describeVerdict(http)).toMatch(/^\d+ rows as Consul answers, \d+ listed deviations\n$/);
    // DNS was recorded on the agent that had answered all of this.
    const dns = judge(await replayDns(`127.0.0.1:${ports.dns}`, readRecordedQueries(RECORDED_DNS)), readDeviations(DNS_DEVIATIONS));
    expect(describeVerdict(dns)).toMatch(/^\d+ rows as Consul answers, \d+ listed deviations\n$/);
  }, 120_000);
});

async function leader(): Promise<string> {
  try {
    return (await exchange(`http://127.0.0.1:${ports.http}`, 'GET', '/v1/status/leader', {}, undefined)).body.toString();
  } catch {
    return '';
  }
}
