import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Member, put, TestCluster, until } from '../testing/cluster.ts';

let folder: string;
let cluster: TestCluster;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lictor-lost-log-'));
  cluster = new TestCluster({ connectEnabled: false });
});
afterEach(async () => {
  await cluster.stopAll();
  await rm(folder, { recursive: true });
});

async function valueAt({ server }: Member, key: string): Promise<string | undefined> {
  const { value } = await server.port.call('KVS.Get', { key }, { query: { consistency: 'stale' } });
  return value === null ? undefined : Buffer.from(value.Value).toString();
}

function notedBy(name: string): Promise<string> {
  return readFile(join(folder, name, 'raft', 'participants.json'), 'utf8').catch(() => '');
}

describe('a member whose log is lost while all servers are down', { timeout: 60_000 }, () => {
  it('has no vote and no part, under its old name, until an operator has taken it out', async () => {
    for (const name of ['a', 'b', 'c']) await cluster.add(name, { dataDir: join(folder, name) });
    await put(await cluster.leader(), 'k', 'acknowledged');
    const [a, b, c] = [...cluster.members.values()].map(({ config }) => config);
    if (a === undefined || b === undefined || c === undefined) throw new Error('three servers');
    for (const name of ['a', 'b']) await expect.poll(() => notedBy(name), { timeout: 10_000 }).toContain(c.nodeId);
    await cluster.stopAll();
    await rm(join(folder, 'c', 'raft'), { recursive: true });
    // Alone with this one, it would be a quorum of those who know nothing.
    const emptied = await cluster.start(c);
    const one = await cluster.start(a);
    await cluster.start(b);
    const leader = await until(() => [...cluster.members.values()].find(({ server }) => server.consensus.isLeader));
    expect(emptied.server.consensus.stats().term).toBe(0);
    expect(one.server.directory.members().find(({ id }) => id === c.nodeId)?.status).not.toBe('alive');
    // A majority has it; whether this one was of it, or the other one tells it now, is not known.
    await expect.poll(() => valueAt(one, 'k'), { timeout: 10_000 }).toBe('acknowledged');
    await leader.server.consensus.removeServer(c.nodeId);
    await until(() => leader.server.consensus.configuration().Servers.some(({ ID, LastIndex }) => ID === c.nodeId && LastIndex > 0));
    await until(() => emptied.server.consensus.stats().appliedIndex >= leader.server.consensus.stats().commitIndex);
    expect(await valueAt(emptied, 'k')).toBe('acknowledged');
  });
});
