import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { TestAgent } from '../support/agent.ts';
import { eventually, freePorts, LICTOR, TestProcess } from '../support/process.ts';

/** `agent -dev` is a server in memory, and yet a member that others can join (Consul's is). */
const agents: TestAgent[] = [];
const processes: TestProcess[] = [];
afterEach(async () => {
  await Promise.all(processes.splice(0).map((each) => each.stop('SIGKILL')));
  await Promise.all(agents.splice(0).map((agent) => agent.stop()));
});

async function startDev(...flags: readonly string[]): Promise<TestAgent> {
  const agent = await TestAgent.create();
  agents.push(agent);
  return agent.start('-dev', ...flags);
}

describe('a development server', { timeout: 60_000 }, () => {
  it('is joined by a client, which is served by it', async () => {
    const server = await startDev('-node=server');
    const [http = 0, serf = 0] = await freePorts(2);
    const flags = [`-http-port=${http}`, `-serf-lan-port=${serf}`, '-dns-port=-1', `-data-dir=${join(server.folder, 'client')}`];
    const joins = `-retry-join=127.0.0.1:${server.ports['serf-lan']}`;
    const client = new TestProcess(LICTOR, ['agent', '-node=client', '-bind=127.0.0.1', joins, ...flags], { cwd: server.folder });
    processes.push(client);
    await client.waitFor(/agent running!/, 0, 30_000);
    await eventually('the client writes through the server', async () => {
      const written = await fetch(`http://127.0.0.1:${http}/v1/kv/a`, { method: 'PUT', body: 'b' }).catch(() => undefined);
      return written?.ok;
    });
    const { stdout } = await server.lictor('members');
    expect(stdout).toMatch(/^server .* alive .* server[^]*^client .* alive .* client/m);
  });

  it('is by itself where another agent has the port of gossip already, or where it is to have none', async () => {
    const first = await startDev('-node=first');
    const port = first.ports['serf-lan'];
    for (const flag of [`-serf-lan-port=${port}`, '-serf-lan-port=-1']) {
      const other = await TestAgent.create();
      agents.push(other);
      // The last of two flags counts.
      Object.assign(other.ports, { 'serf-lan': flag.split('=')[1] });
      await other.start('-dev', '-node=other');
      expect(other.process.output.includes('this development server is by itself')).toBe(flag.endsWith(String(port)));
      expect((await other.lictor('members')).stdout).toMatch(/^other .* alive .* server/m);
      expect((await first.lictor('members')).stdout).not.toContain('other');
    }
  });
});
