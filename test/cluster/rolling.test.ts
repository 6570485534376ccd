import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, ROOT } from '../support/process.ts';
import { TestCluster } from './support/cluster.ts';
import { nextBuild } from './support/next-build.ts';
import type { ClusterServer } from './support/server.ts';
import { KEY_WRITES, SteadyLoad, type SteadyRequest } from './support/steady-load.ts';

/** Issue, section 2: rolling restart and upgrade of servers and clients without a failed request through a healthy agent; versions advertised. */
const STEP_MS = 180_000;
const NEXT = '1.21.9';
/** Agents hold calls through an election; what they answer after it counts. */
const PATIENCE_MS = 30_000;

const read = (path: string, isGood: SteadyRequest['isGood'] = (status) => status === 200): SteadyRequest => ({
  make: () => [path, { signal: AbortSignal.timeout(PATIENCE_MS) }],
  isGood,
});
const REQUESTS = {
  put: {
    make: (count) => ['/v1/kv/rolling/key', { method: 'PUT', body: String(count), signal: AbortSignal.timeout(PATIENCE_MS) }],
    isGood: KEY_WRITES.isGood,
  },
  // A folder that is not there yet.
  get: read('/v1/kv/rolling/?keys', (status) => status === 200 || status === 404),
  consistent: read('/v1/catalog/nodes?consistent'),
  cached: read('/v1/health/service/web?cached'),
} satisfies Record<string, SteadyRequest>;

describe('a cluster whose agents are restarted one after the other', { timeout: STEP_MS }, () => {
  const next = nextBuild(NEXT);
  let cluster: TestCluster;
  let healthy: ClusterServer;
  let other: ClusterServer;

  beforeAll(async () => {
    cluster = await TestCluster.create({ clients: 2, args: ['-retry-interval=1s', '-hcl=autopilot { server_stabilization_time = "1s" }'] });
    const [first, second] = cluster.clients;
    if (first === undefined || second === undefined) throw new Error('two clients');
    [healthy, other] = [first, second];
    await cluster.start();
    await Promise.all([healthy.start(), other.start()]);
    for (const client of [healthy, other]) {
      const body = JSON.stringify({ Name: 'web', ID: `web-${client.name}`, Port: 8000 });
      await eventually('a service', async () => (await client.fetch('/v1/agent/service/register', { method: 'PUT', body })).ok);
    }
    await eventually('both are in the catalog', async () => (await healthy.json<unknown[]>('/v1/health/service/web')).length === 2);
    await eventually('three healthy voters', threeHealthy);
  }, STEP_MS);
  afterAll(async () => {
    await cluster.stop();
    rmSync(next.folder, { recursive: true, force: true });
  });

  it.each([
    ['ended by SIGTERM and started again', 'SIGTERM', join(ROOT, 'packages/cli/bin/lictor')],
    ['replaced by the next version', 'SIGTERM', next.program],
  ] as const)('answers every request through a healthy one while servers and a client are %s', async (_what, signal, program) => {
    const load = new SteadyLoad(healthy, REQUESTS);
    for (const agent of [...cluster.servers, other]) {
      await agent.end(signal);
      await agent.startAs(program);
      await eventually('three healthy voters', threeHealthy, STEP_MS);
      await eventually(`${agent.name} is alive`, async () => (await members()).get(agent.name)?.status === 'alive', STEP_MS);
    }
    const { counts, failures } = await load.stop();
    expect(failures).toEqual([]);
    for (const count of Object.values(counts)) expect(count).toBeGreaterThan(50);
    process.stdout.write(`rolling: ${JSON.stringify(counts)} requests, none failed\n`);
    expect(await healthy.json<unknown[]>('/v1/health/service/web')).toHaveLength(2);
  });

  it('advertises which version each agent is', async () => {
    const builds = await members();
    for (const { name } of [...cluster.servers, other]) expect(builds.get(name)?.build).toBe(NEXT);
    expect(builds.get(healthy.name)?.build).not.toBe(NEXT);
    const { Servers } = await healthy.json<{ Servers: { Version: string }[] }>('/v1/operator/autopilot/health');
    expect(Servers.map(({ Version }) => Version)).toEqual([NEXT, NEXT, NEXT]);
    expect((await other.json<{ Config: { Version: string } }>('/v1/agent/self')).Config.Version).toBe(NEXT);
  });

  async function threeHealthy(): Promise<boolean> {
    const response = await healthy.fetch('/v1/operator/autopilot/health');
    if (!response.ok) return false;
    const { Healthy, Servers } = (await response.json()) as { Healthy: boolean; Servers: { Voter: boolean }[] };
    return Healthy && Servers.filter(({ Voter }) => Voter).length === 3;
  }

  async function members(): Promise<Map<string, { status: string; build: string }>> {
    const { stdout } = await healthy.lictor('members');
    const rows = stdout.trim().split('\n').slice(1);
    return new Map(rows.map((row) => row.split(/\s+/)).map(([name = '', , status = '', , build = '']) => [name, { status, build }]));
  }
});
