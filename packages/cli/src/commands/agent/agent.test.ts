import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@lictor/protocol/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { run, type RunResult } from '../../testing/run.ts';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'lictor-agent-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Started {
  readonly address: string;
  output(): string;
  signal(name: NodeJS.Signals): void;
  readonly ended: Promise<RunResult>;
}

const QUIET_PORTS = ['-dns-port=-1', '-grpc-port=-1', '-hcl', 'ports { grpc_tls = -1 }'];

/** A real agent, in this process, with signals as the process would get them. */
async function start(...flags: readonly string[]): Promise<Started> {
  const port = await freePort();
  const listeners = new Set<(signal: NodeJS.Signals) => void>();
  let output = '';
  const ended = run(['agent', '-node=test', `-http-port=${port}`, ...QUIET_PORTS, ...flags], {
    onStdout: (text) => (output = text),
    onSignal: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  });
  await Promise.race([
    expect.poll(() => output, { timeout: 10_000 }).toContain('Consul agent running!'),
    ended.then(({ stdout, stderr }) => {
      throw new Error(`the agent ended:\n${stdout}\n${stderr}`);
    }),
  ]);
  return {
    address: `http://127.0.0.1:${port}`,
    output: () => output,
    signal: (name) => listeners.forEach((listener) => listener(name)),
    ended,
  };
}

const services = async ({ address }: Started): Promise<string[]> =>
  Object.keys((await (await fetch(`${address}/v1/agent/services`)).json()) as object);

describe('lictor agent (consul-facts C001)', () => {
  it('prints the banner that scripts grep, then its log, and answers', async () => {
    const agent = await start('-dev');
    const [banner = ''] = agent.output().split('==> Log data will now stream in as it occurs:');
    expect(banner).toMatch(/^==> Starting Consul agent\.\.\.\n/);
    expect(banner).toContain("             Node name: 'test'\n");
    expect(banner).toContain("            Datacenter: 'dc1' (Segment: '<all>')\n");
    expect(banner).toContain('                Server: true (Bootstrap: false)\n');
    await expect.poll(() => agent.output()).toMatch(/\[INFO\] {2}agent: Synced node info/);
    expect(await services(agent)).toEqual([]);
    agent.signal('SIGTERM');
    await agent.ended;
  });

  it.each([
    ['SIGINT', 1, 'Graceful shutdown disabled. Exiting'],
    ['SIGTERM', 1, 'Graceful shutdown disabled. Exiting'],
  ] as const)('K007: a server just stops on %s', async (signal, exitCode, line) => {
    const agent = await start('-dev');
    agent.signal(signal);
    const result = await agent.ended;
    expect(result.exitCode).toBe(exitCode);
    expect(result.stdout).toContain(line);
  });

  it('K007: leaves gracefully where the configuration says so, and when asked over the API', async () => {
    const first = await start('-dev', '-hcl', 'leave_on_terminate = true');
    first.signal('SIGTERM');
    expect(await first.ended).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('Graceful exit completed') });
    const second = await start('-dev');
    await fetch(`${second.address}/v1/agent/leave`, { method: 'PUT' });
    expect((await second.ended).exitCode).toBe(0);
  });

  it('S012-S013: reloads on SIGHUP and over the API; a broken file changes nothing and is named with its line', async () => {
    writeFileSync(join(folder, 'a.json'), '{"service": {"name": "web", "port": 1, "connect": {"sidecar_service": {}}}}');
    const agent = await start('-dev', `-config-dir=${folder}`);
    expect(await services(agent)).toEqual(['web', 'web-sidecar-proxy']);
    writeFileSync(join(folder, 'b.hcl'), 'service { name = "db" port = 2 }');
    agent.signal('SIGHUP');
    await expect.poll(() => services(agent)).toEqual(['db', 'web', 'web-sidecar-proxy']);
    writeFileSync(join(folder, 'b.hcl'), 'service {\n name = "db"\n prot = 2 }');
    const refused = await fetch(`${agent.address}/v1/agent/reload`, { method: 'PUT' });
    expect(refused.status).toBe(500);
    expect(await refused.text()).toContain(`(${folder}/b.hcl:3, service.prot)`);
    expect(await services(agent)).toEqual(['db', 'web', 'web-sidecar-proxy']);
    rmSync(join(folder, 'b.hcl'));
    expect((await fetch(`${agent.address}/v1/agent/reload`, { method: 'PUT' })).status).toBe(200);
    expect(await services(agent)).toEqual(['web', 'web-sidecar-proxy']);
    agent.signal('SIGTERM');
    await agent.ended;
  });

  it('reloads by itself with -auto-reload-config', async () => {
    writeFileSync(join(folder, 'a.hcl'), 'service { name = "web" }');
    const agent = await start('-dev', `-config-dir=${folder}`, '-auto-reload-config');
    writeFileSync(join(folder, 'b.hcl'), 'service { name = "db" }');
    await expect.poll(() => services(agent), { timeout: 5_000 }).toEqual(['db', 'web']);
    agent.signal('SIGTERM');
    await agent.ended;
  });

  it('keeps node id, services and ports under data_dir, and writes and removes its pid file', async () => {
    const flags = ['-server', '-bootstrap', '-bind=127.0.0.1', `-data-dir=${join(folder, 'data')}`, `-pid-file=${join(folder, 'pid')}`];
    const first = await start(...flags);
    expect(readFileSync(join(folder, 'pid'), 'utf8')).toBe(String(process.pid));
    const body = JSON.stringify({ Name: 'web', Port: 1, Connect: { SidecarService: {} } });
    expect((await fetch(`${first.address}/v1/agent/service/register`, { method: 'PUT', body })).status).toBe(200);
    first.signal('SIGTERM');
    await first.ended;
    expect(() => readFileSync(join(folder, 'pid'))).toThrow();
    const nodeId = readFileSync(join(folder, 'data', 'node-id'), 'utf8');
    const second = await start(...flags);
    expect(second.output()).toContain(`Node ID: '${nodeId}'`);
    const kept = (await (await fetch(`${second.address}/v1/agent/service/web-sidecar-proxy`)).json()) as { Port: number };
    expect(kept.Port).toBe(21000);
    second.signal('SIGTERM');
    await second.ended;
  });
});

describe('what stops the agent before it starts', () => {
  it.each([
    [['-bogus'], 'flag provided but not defined: -bogus\n'],
    [['-dev', 'extra'], '==> Unexpected extra arguments: [extra]\n'],
    [['-bind=127.0.0.1'], '==> data_dir cannot be empty (data_dir)\n'],
    [['-dev', '-http-port=x'], 'invalid value "x" for flag -http-port: parse error\n'],
    [
      ['-dev', '-config-file=/no/such.hcl'],
      '==> config: Open failed on /no/such.hcl. open /no/such.hcl: no such file or directory (/no/such.hcl)\n',
    ],
  ])('%j', async (flags, message) => {
    const result = await run(['agent', ...flags]);
    expect(result.exitCode).toBe(1);
    expect(result.stderr.startsWith(message)).toBe(true);
  });

  it('a port that is taken, named in the log', async () => {
    const server = createTcpServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const result = await run(['agent', '-dev', `-http-port=${port}`, ...QUIET_PORTS]);
    server.close();
    expect(result.exitCode).toBe(1);
    expect(result.stdout).toContain(`listen tcp 127.0.0.1:${port}: bind: address already in use`);
  });
});

describe('watches in the configuration (consul-facts K074)', () => {
  it('tell a program and an HTTP endpoint of every change', async () => {
    const posted: { readonly body: string; readonly headers: IncomingMessage['headers'] }[] = [];
    const receiver = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        posted.push({ body, headers: request.headers });
        response.end();
      });
    });
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
    const { port } = receiver.address() as AddressInfo;
    const file = join(folder, 'seen.json');
    mkdirSync(join(folder, 'cfg'));
    writeFileSync(
      join(folder, 'cfg', 'w.hcl'),
      `watches = [{ type = "key" key = "foo" args = ["/bin/sh", "-c", "cat > ${file}"] },
        { type = "services" handler_type = "http" http_handler_config { path = "http://user:pw%40x@127.0.0.1:${port}/x" header { x-a = ["b"] } } },
        { type = "bogus" args = ["true"] }]`,
    );
    const agent = await start('-dev', `-config-dir=${join(folder, 'cfg')}`);
    await fetch(`${agent.address}/v1/kv/foo`, { method: 'PUT', body: 'bar' });
    await expect.poll(() => readIfThere(file), { timeout: 10_000 }).toContain('"Value":"YmFy"');
    await expect.poll(() => posted.length, { timeout: 10_000 }).toBeGreaterThan(0);
    expect(posted[0]?.headers).toMatchObject({
      'x-a': 'b',
      'content-type': 'application/json',
      authorization: `Basic ${Buffer.from('user:pw@x').toString('base64')}`,
    });
    expect(agent.output()).toContain('Unsupported watch type: bogus');
    agent.signal('SIGTERM');
    await agent.ended;
    receiver.close();
  });
});

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
