import { mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestAgent } from './support/agent.ts';
import { eventually, freePorts, missingPrograms, run, TestProcess } from './support/process.ts';

/**
 * The tutorial of the founding texts (consul-facts S007-S060), with its own commands and real `socat` and `nc`. Only the ports of the agent
 * and of the two programs are chosen freely, so that the test can run beside anything.
 */
const skipped = missingPrograms('socat', 'nc').length > 0;

describe.skipIf(skipped)('the tutorial', () => {
  let agent: TestAgent;
  let echoPort: number;
  let upstreamPort: number;
  let socatProxy: TestProcess;
  let webProxy: TestProcess;

  beforeAll(async () => {
    agent = await TestAgent.createWithUsualSidecarPorts();
    [echoPort = 0, upstreamPort = 0] = await freePorts(2);
    mkdirSync(join(agent.folder, 'consul.d'));
    await agent.start('-dev', '-config-dir=./consul.d', '-node=tutorial');
  });
  afterAll(async () => agent.stop());

  const define = (name: string, service: unknown): void =>
    writeFileSync(join(agent.folder, 'consul.d', `${name}.json`), JSON.stringify({ service }));
  const socat = { name: 'socat', connect: { sidecar_service: {} } };
  const netcat = (text: string, ...flags: string[]) =>
    run('timeout', ['5', 'nc', ...flags, '127.0.0.1', String(upstreamPort)], { input: text });

  it('S010: an echo service that knows nothing of encryption runs under socat', async () => {
    agent.spawn('socat', `TCP-LISTEN:${echoPort},bind=127.0.0.1,fork,reuseaddr`, 'EXEC:/bin/cat');
    await eventually('socat listens', () => run('nc', ['-z', '127.0.0.1', String(echoPort)]).then((result) => result.code === 0));
  });

  it('S012: `reload` makes the agent read a new definition file', async () => {
    define('socat', { ...socat, port: echoPort });
    expect(await agent.lictor('reload')).toEqual({ code: 0, stdout: 'Configuration reload triggered\n', stderr: '' });
    await eventually('socat is registered', async () => (await agent.lictor('catalog', 'services')).stdout.includes('socat-sidecar-proxy'));
  });

  it('S014-S016: the empty sidecar_service takes port 21000 and nothing listens there until a proxy starts', async () => {
    const sidecar = await agent.json<{ Port: number; Kind: string; Proxy: Record<string, unknown> }>(
      '/v1/agent/service/socat-sidecar-proxy',
    );
    expect(sidecar).toMatchObject({
      Kind: 'connect-proxy',
      Port: 21000,
      Proxy: {
        DestinationServiceName: 'socat',
        DestinationServiceID: 'socat',
        LocalServiceAddress: '127.0.0.1',
        LocalServicePort: echoPort,
      },
    });
    expect((await run('nc', ['-z', '127.0.0.1', '21000'])).code).toBe(1);
  });

  it('S019, S020: `connect proxy -sidecar-for socat` prints its banner and log lines', async () => {
    socatProxy = agent.spawn('lictor', 'connect', 'proxy', '-sidecar-for', 'socat');
    await socatProxy.waitFor(/==> Consul Connect proxy starting\.\.\.\n/);
    await socatProxy.waitFor(/Configuration mode: Agent API\n\s+Sidecar for ID: socat\n\s+Proxy ID: socat-sidecar-proxy\n/);
    await socatProxy.waitFor(/==> Log data will now stream in as it occurs:\n/);
    await socatProxy.waitFor(/Proxy loaded config and ready to serve/);
    await socatProxy.waitFor(
      /Parsed TLS identity: uri=spiffe:\/\/[0-9a-f-]{36}\.consul\/ns\/default\/dc\/dc1\/svc\/socat roots=\["?pri-[0-9a-z]+\.consul\.ca\.[0-9a-f]{8}\.consul"?\]/,
    );
    await socatProxy.waitFor(/Starting listener: listener="public listener" bind_addr=0\.0\.0\.0:21000/);
  });

  it('S050, S051: `connect proxy -service web -upstream socat:PORT` serves any identity without registration', async () => {
    const proxy = agent.spawn('lictor', 'connect', 'proxy', '-service', 'web', '-upstream', `socat:${upstreamPort}`);
    await proxy.waitFor(/Configuration mode: Flags\n/);
    await proxy.waitFor(new RegExp(`Service: web\\n\\s+Upstream: socat => :${upstreamPort}\\n\\s+Public listener: Disabled\\n`));
    await eventually('the echo', async () => (await netcat('hello\n', '-N')).stdout === 'hello\n');
    expect(await proxy.stop('SIGINT')).toBe(0);
    expect(proxy.output).toContain('==> Consul Connect proxy shutdown');
  });

  it('S013, S021, S025: SIGHUP registers web with its upstream; before its proxy starts, the port refuses', async () => {
    define('web', {
      name: 'web',
      connect: { sidecar_service: { proxy: { upstreams: [{ destination_name: 'socat', local_bind_port: upstreamPort }] } } },
    });
    agent.process.signal('SIGHUP');
    const sidecar = await eventually('the sidecar of web', async () =>
      agent.json<{ Port: number }>('/v1/agent/service/web-sidecar-proxy').catch(() => undefined),
    );
    expect(sidecar.Port).toBe(21001);
    expect((await run('nc', ['-z', '127.0.0.1', String(upstreamPort)])).code).toBe(1);
  });

  it('S026-S028: the second sidecar logs its listeners, and the first echo comes within a second of its start', async () => {
    const startedMs = performance.now();
    webProxy = agent.spawn('lictor', 'connect', 'proxy', '-sidecar-for', 'web');
    const echoed = eventually('the echo', async () => (await netcat('hello\n', '-N')).stdout === 'hello\n');
    await echoed;
    process.stderr.write(`first echo ${Math.round(performance.now() - startedMs)} ms after the second sidecar's start\n`);
    await webProxy.waitFor(new RegExp(`Starting listener: listener="?127\\.0\\.0\\.1:${upstreamPort}->service:default/socat"?`));
    await webProxy.waitFor(/Proxy loaded config and ready to serve/);
    await webProxy.waitFor(/uri=spiffe:\/\/[0-9a-f-]{36}\.consul\/ns\/default\/dc\/dc1\/svc\/web/);
    await webProxy.waitFor(/listener="public listener" bind_addr=0\.0\.0\.0:21001/);
  });

  it('the half-close is kept: a reply that comes after the client has finished sending still arrives', async () => {
    const [latePort = 0, lateUpstream = 0] = await freePorts(2);
    agent.spawn('socat', `TCP-LISTEN:${latePort},bind=127.0.0.1,fork,reuseaddr`, 'SYSTEM:cat; sleep 0.3; echo late reply');
    await agent.json('/v1/agent/service/register', {
      method: 'PUT',
      body: JSON.stringify({ Name: 'late', Port: latePort, Connect: { SidecarService: {} } }),
    });
    const lateProxy = agent.spawn('lictor', 'connect', 'proxy', '-sidecar-for', 'late');
    await lateProxy.waitFor(/ready to serve/);
    const caller = agent.spawn('lictor', 'connect', 'proxy', '-service', 'web', '-upstream', `late:${lateUpstream}`);
    await caller.waitFor(/Starting listener/);
    await eventually('the late reply', async () => {
      const answer = await run('timeout', ['5', 'nc', '-N', '127.0.0.1', String(lateUpstream)], { input: 'hi\n' });
      return answer.stdout === 'hi\nlate reply\n';
    });
    await Promise.all([lateProxy.stop(), caller.stop()]);
  });

  it('S033-S036: a deny intention is created by name and a new connection fails, with the reason in the log', async () => {
    expect((await agent.lictor('intention', 'check', 'web', 'socat')).stdout).toBe('Allowed\n');
    const created = await agent.lictor('intention', 'create', '-deny', 'web', 'socat');
    expect(created).toEqual({ code: 0, stdout: 'Created: web => socat (deny)\n', stderr: '' });
    await eventually('the refusal', async () => (await netcat('hello\n', '-N')).stdout === '');
    await socatProxy.waitFor(/authz call denied: service=socat reason=".*(Matched L4 intention|Matched intention).*web.*socat/);
    expect(await agent.lictor('intention', 'check', 'web', 'socat')).toMatchObject({ code: 1, stdout: 'Denied\n' });
    expect((await agent.lictor('intention', 'explain', 'web', 'socat')).stdout).toMatch(/Verdict:\s+deny/);
  });

  it('S037, S038: deleting the intention lets a new connection through', async () => {
    const deleted = await agent.lictor('intention', 'delete', 'web', 'socat');
    expect(deleted).toEqual({ code: 0, stdout: 'Intention deleted.\n', stderr: '' });
    await eventually('the echo', async () => (await netcat('hello again\n', '-N')).stdout === 'hello again\n');
  });

  it('S029: closing the client closes the proxied connection on the far side', async () => {
    const socket = connect(upstreamPort, '127.0.0.1');
    await new Promise((echoed) => {
      socket.once('data', echoed);
      socket.write('x');
    });
    const openAt = async (): Promise<number> =>
      Number((await run('sh', ['-c', `ss -Htn state established "( dport = :${echoPort} )" | wc -l`])).stdout);
    expect(await openAt()).toBeGreaterThan(0);
    socket.destroy();
    await eventually('no connection to the echo service is left', async () => (await openAt()) === 0);
  });

  it('stops on Ctrl-C with status 0 and its shutdown line', async () => {
    expect(await webProxy.stop('SIGINT')).toBe(0);
    expect(webProxy.output).toContain('==> Consul Connect proxy shutdown');
    expect(await socatProxy.stop('SIGTERM')).toBe(0);
  });
});
