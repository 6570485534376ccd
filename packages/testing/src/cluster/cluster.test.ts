import { createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type ClusterOptions, type LocalCluster, startCluster } from './index.ts';

const clusters: LocalCluster[] = [];
const servers: Server[] = [];
afterEach(async () => {
  await Promise.all(clusters.splice(0).map((cluster) => cluster.stop()));
  for (const server of servers.splice(0)) server.close();
});

async function start(options: ClusterOptions = {}): Promise<LocalCluster> {
  const cluster = await startCluster(options);
  clusters.push(cluster);
  return cluster;
}

/** A program that says everything twice. */
async function listen(): Promise<number> {
  const server = createServer((socket: Socket) => socket.on('data', (bytes: Buffer) => void socket.write(Buffer.concat([bytes, bytes]))));
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** What the other end says, or nothing when it closes. */
function say(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1', () => void socket.write(text));
  return new Promise((resolve) => {
    socket.once('data', (bytes) => {
      resolve(bytes.toString());
      socket.destroy();
    });
    socket.once('close', () => resolve(''));
    socket.once('error', () => resolve(''));
  });
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  await expect.poll(condition, { timeout: 15_000, interval: 20 }).toBe(true);
}

describe('a cluster in this process', { timeout: 60_000 }, () => {
  it('is one server with a mesh: programs reach each other through sidecars, as far as intentions allow', async () => {
    const { agent } = await start();
    await agent.addService({ name: 'echo', port: await listen() });
    const caller = await agent.addService({ name: 'caller', port: await listen(), upstreams: ['echo'] });
    expect(await say(caller.upstreamPort('echo'), 'hello')).toBe('hellohello');
    await agent.client.connect.upsertIntention({ SourceName: 'caller', DestinationName: 'echo', Action: 'deny' });
    await until(async () => (await say(caller.upstreamPort('echo'), 'hello')) === '');
    expect(() => caller.upstreamPort('db')).toThrow('caller has no upstream db');
  });

  it('is three servers with clients, whose leader dies and comes back', async () => {
    const cluster = await start({ servers: 3, clients: 1 });
    const { agent } = cluster;
    const before = await cluster.leader();
    await agent.client.kv.put('k', 'before');
    await before.kill();
    await agent.client.kv.put('k', 'after');
    const after = await cluster.leader();
    expect(after.name).not.toBe(before.name);
    await before.start();
    await until(async () => (await cluster.leader()) === after);
    await until(
      async () => Buffer.from((await before.client.kv.get('k', { consistency: 'stale' })).value?.Value ?? []).toString() === 'after',
    );
  });

  it('shows in the catalog who died and who left', async () => {
    const cluster = await start({ clients: 2 });
    const [server] = cluster.servers;
    const [one, other] = cluster.clients;
    const checks = async (node: string): Promise<string[]> =>
      (await server?.client.health.node(node))?.value.map(({ Status }) => Status) ?? [];
    await until(async () => (await checks('client-1')).includes('passing') && (await checks('client-2')).includes('passing'));
    await one?.kill();
    await other?.leave();
    await until(async () => (await checks('client-1')).includes('critical'));
    await until(async () => (await checks('client-2')).length === 0);
  });

  it('leaves nothing behind', async () => {
    const cluster = await startCluster({ servers: 1, clients: 1 });
    const { httpAddress } = cluster.agent;
    await cluster.stop();
    await expect(fetch(`${httpAddress}/v1/status/leader`)).rejects.toThrow();
    expect(() => cluster.agent.httpAddress).toThrow('client-1 does not run');
  });
});
