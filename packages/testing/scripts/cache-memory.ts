// What an entry of a client agent's cache takes: `node --conditions=lictor-source packages/testing/scripts/cache-memory.ts [entries]`.
// A client asks for the cached health of so many services, of one instance and one check each; its heap after a collection, before and after.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AgentProcess } from '../src/processes/agent-process.ts';
import { leaderOf, planProcesses } from '../src/processes/server-processes.ts';
import { until } from '../src/processes/until.ts';
import { probeEnvironment } from '../src/soak/recorder.ts';

const entries = Number(process.argv[2] ?? 5000);
const AT_ONCE = 50;
const WAIT_MS = 60_000;
/** The probe tells every ten seconds: two later it has surely collected what had become garbage by now. */
const LOOKS = 3;

async function all(count: number, act: (at: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const work = async (): Promise<void> => {
    for (let at = next++; at < count; at = next++) await act(at);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

async function heapBytes(folder: string, { pid }: AgentProcess): Promise<number> {
  const read = (): Promise<string> => readFile(join(folder, `${pid}.json`), 'utf8').catch(() => '');
  let text = await read();
  for (let look = 0; look < LOOKS; look++) {
    const before = text;
    text = await until('the client tells of its heap', async () => ((await read()) === before ? undefined : read()), WAIT_MS);
  }
  return (JSON.parse(text) as { heapBytes: number }).heapBytes;
}

const folder = await mkdtemp(join(tmpdir(), 'lictor-cache-'));
const { servers, clients } = await planProcesses({ folder, servers: 1, clients: 1, environment: probeEnvironment(folder) });
const [[server], [client]] = [servers, clients];
if (server === undefined || client === undefined) throw new Error('a server and a client');
try {
  for (const agent of [server, client]) agent.start();
  await leaderOf(servers);
  await until('the client has a leader', async () => (await client.client.status.leader()) || undefined, WAIT_MS);
  await all(entries, (at) =>
    server.client.catalog.register({
      Node: `node-${at % 50}`,
      Address: '10.0.0.1',
      Service: { ID: `service-${at}`, Service: `service-${at}`, Port: 8000, Tags: ['v1'], Meta: { version: '1' } },
      Check: { CheckID: `check-${at}`, Name: 'alive', Status: 'passing', ServiceID: `service-${at}` },
    }),
  );
  // Code is compiled, connections are open.
  await all(100, (at) => client.client.health.service(`service-${at}`));
  const [heapBefore, serverBefore] = await Promise.all([heapBytes(folder, client), heapBytes(folder, server)]);
  const rssBefore = client.stats().rssBytes;
  await all(entries, (at) => client.client.health.service(`service-${at}`, { cached: true }));
  const [heapAfter, serverAfter] = await Promise.all([heapBytes(folder, client), heapBytes(folder, server)]);
  const hits = (await client.client.health.service(`service-${entries - 1}`, { cached: true })).meta.cacheHit;
  const each = (bytes: number): string => `${(bytes / 1024 / entries).toFixed(1)} KiB`;
  process.stdout.write(
    `${entries} entries (the last is ${hits ? 'a hit' : 'a miss'}): ${each(heapAfter - heapBefore)} of heap and buffers each, ` +
      `${each(client.stats().rssBytes - rssBefore)} of resident memory; ` +
      `on the server ${each(serverAfter - serverBefore)} for the query behind each\n`,
  );
} finally {
  await Promise.all([server.stop(), client.stop()]);
  await rm(folder, { recursive: true, force: true });
}
