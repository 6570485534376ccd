import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestAgent } from './support/agent.ts';
import { ConsulAgent, findConsul } from './support/consul.ts';
import { eventually, type Finished, freePorts, LICTOR, missingPrograms, run, TestProcess } from './support/process.ts';

/** Real Consul 1.8.7 programs with Lictor's agent, and Lictor's programs with a real Consul agent. */
const consul = findConsul() ?? '';
const skipped = consul === '' || missingPrograms('socat').length > 0;

/** What comes back for `text`, or nothing when the connection ends first. No half-close: Consul's proxy takes one for the end. */
function echoThrough(port: number, text: string): Promise<string> {
  return new Promise((resolve) => {
    let received = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    socket.setTimeout(5000, () => socket.destroy());
    socket.on('data', (chunk) => {
      received += chunk.toString();
      if (received.length >= text.length) socket.destroy();
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => resolve(received));
  });
}

describe.skipIf(skipped)("real Consul's programs with Lictor's agent", () => {
  let agent: TestAgent;
  let echoPort: number;
  let consulToLictor: number;
  let lictorToConsul: number;
  const real = (...args: string[]): Promise<Finished> => run(consul, args, { env: agent.environment });

  beforeAll(async () => {
    agent = await TestAgent.create();
    [echoPort = 0, consulToLictor = 0, lictorToConsul = 0] = await freePorts(3);
    await agent.start('-dev', '-node=interop');
    agent.spawn('socat', `TCP-LISTEN:${echoPort},bind=127.0.0.1,fork,reuseaddr`, 'EXEC:/bin/cat');
  });
  afterAll(async () => agent.stop());

  it('kv: put, get, export, delete', async () => {
    expect(await real('kv', 'put', 'a/b', 'hello')).toMatchObject({ code: 0, stdout: 'Success! Data written to: a/b\n' });
    expect(await real('kv', 'get', 'a/b')).toMatchObject({ code: 0, stdout: 'hello\n' });
    expect(JSON.parse((await real('kv', 'export', 'a')).stdout)).toEqual([{ key: 'a/b', flags: 0, value: 'aGVsbG8=' }]);
    expect(await real('kv', 'delete', 'a/b')).toMatchObject({ code: 0, stdout: 'Success! Deleted key: a/b\n' });
  });

  it('members, catalog nodes, operator raft list-peers and connect ca get-config read what Lictor says of itself', async () => {
    expect((await real('members')).stdout).toMatch(/^interop +127\.0\.0\.1:\d+ +alive +server +\S+ +2 +dc1/m);
    expect((await real('catalog', 'nodes')).stdout).toMatch(/^interop +[0-9a-f]{8} +127\.0\.0\.1 +dc1/m);
    expect((await real('operator', 'raft', 'list-peers')).stdout).toMatch(/^interop +\S+ +127\.0\.0\.1:\d+ +leader +true +3/m);
    expect(JSON.parse((await real('connect', 'ca', 'get-config')).stdout)).toMatchObject({ Provider: 'consul' });
  });

  it('services register and deregister', async () => {
    const file = join(agent.folder, 'services.json');
    const sidecar = { connect: { sidecar_service: {} } };
    const services = ['echo', 'echo-by-lictor', 'temporary'].map((name) => ({
      name,
      port: echoPort,
      ...(name === 'temporary' ? {} : sidecar),
    }));
    writeFileSync(file, JSON.stringify({ services }));
    expect(await real('services', 'register', file)).toMatchObject({ code: 0, stderr: '' });
    await eventually('all are in the catalog', async () => (await real('catalog', 'services')).stdout.includes('temporary'));
    expect((await real('catalog', 'services')).stdout).toContain('echo-by-lictor-sidecar-proxy\n');
    expect(await real('services', 'deregister', '-id=temporary')).toMatchObject({ code: 0 });
    await eventually('it is gone', async () => !(await real('catalog', 'services')).stdout.includes('temporary'));
  });

  it('intention: create, check, get, delete', async () => {
    expect(await real('intention', 'check', 'x', 'y')).toMatchObject({ code: 0, stdout: 'Allowed\n' });
    expect(await real('intention', 'create', '-deny', 'x', 'y')).toMatchObject({ code: 0, stdout: 'Created: x => y (deny)\n' });
    expect(await real('intention', 'check', 'x', 'y')).toMatchObject({ code: 1, stdout: 'Denied\n' });
    expect(await real('intention', 'get', 'x', 'y')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/Action: +deny/) as string,
      stderr: '',
    });
    expect((await real('intention', 'match', 'y')).stdout).toContain('x => y (deny)');
    expect(await real('intention', 'delete', 'x', 'y')).toMatchObject({ code: 0, stdout: 'Intention deleted.\n' });
  });

  it('event, lock and snapshot save', async () => {
    expect((await real('event', '-name', 'deploy')).stdout).toMatch(/^Event ID: [0-9a-f-]{36}\n$/);
    expect(await real('lock', 'locks/x', 'echo held')).toMatchObject({ code: 0, stdout: 'held\n' });
    expect((await real('snapshot', 'save', join(agent.folder, 'x.snap'))).stdout).toMatch(/^Saved and verified snapshot to index \d+\n$/);
    expect((await real('snapshot', 'inspect', join(agent.folder, 'x.snap'))).stdout).toMatch(/^Version +1$/m);
  });

  it("connect proxy: Lictor's proxy reaches a service behind Consul's, both certified by Lictor", async () => {
    await agent.spawn(consul, 'connect', 'proxy', '-sidecar-for', 'echo').waitFor(/Proxy loaded config and ready to serve/);
    await agent.spawn('lictor', 'connect', 'proxy', '-service', 'web', '-upstream', `echo:${lictorToConsul}`).waitFor(/Starting listener/);
    await eventually('the echo', async () => (await echoThrough(lictorToConsul, 'to consul\n')) === 'to consul\n');
  });

  it("connect proxy: Consul's proxy reaches a service behind Lictor's", async () => {
    await agent.spawn('lictor', 'connect', 'proxy', '-sidecar-for', 'echo-by-lictor').waitFor(/ready to serve/);
    const proxy = agent.spawn(consul, 'connect', 'proxy', '-service', 'web', '-upstream', `echo-by-lictor:${consulToLictor}`);
    await proxy.waitFor(/Starting listener/);
    await eventually('the echo', async () => (await echoThrough(consulToLictor, 'to lictor\n')) === 'to lictor\n');
  });

  it('refuse in both directions what an intention denies, and let it through again', async () => {
    for (const [service, port] of [
      ['echo', lictorToConsul],
      ['echo-by-lictor', consulToLictor],
    ] as const) {
      await real('intention', 'create', '-deny', 'web', service);
      await eventually(`${service} refuses`, async () => (await echoThrough(port, 'denied\n')) === '');
      await real('intention', 'delete', 'web', service);
      await eventually(`${service} accepts`, async () => (await echoThrough(port, 'again\n')) === 'again\n');
    }
  });
});

describe.skipIf(skipped)("Lictor's programs with a real Consul 1.8.7 agent", () => {
  let agent: ConsulAgent;
  let echoPort: number;
  let fromLictor: number;
  let fromConsul: number;
  const started: TestProcess[] = [];
  const lictor = (...args: string[]): Promise<Finished> => run(LICTOR, args, { env: agent.environment });
  const spawn = (program: string, ...args: string[]): TestProcess => {
    const child = new TestProcess(program, args, { env: agent.environment, cwd: agent.folder });
    started.push(child);
    return child;
  };

  beforeAll(async () => {
    agent = await ConsulAgent.start(consul);
    [echoPort = 0, fromLictor = 0, fromConsul = 0] = await freePorts(3);
    spawn('socat', `TCP-LISTEN:${echoPort},bind=127.0.0.1,fork,reuseaddr`, 'EXEC:/bin/cat');
  });
  afterAll(async () => {
    await Promise.all(started.map((child) => child.stop('SIGTERM')));
    await agent.stop();
  });

  it('kv and catalog', async () => {
    expect(await lictor('kv', 'put', 'a/b', 'hello')).toMatchObject({ code: 0, stdout: 'Success! Data written to: a/b\n' });
    expect(await lictor('kv', 'get', 'a/b')).toMatchObject({ code: 0, stdout: 'hello\n' });
    expect((await lictor('catalog', 'services')).stdout).toBe('consul\n');
    expect((await lictor('catalog', 'nodes')).stdout).toMatch(/^real +[0-9a-f]{8} +127\.0\.0\.1 +dc1/m);
    expect((await lictor('members')).stdout).toMatch(/^real +127\.0\.0\.1:\d+ +alive +server +1\.8\.7/m);
  });

  it('services register', async () => {
    const file = join(agent.folder, 'echo.json');
    writeFileSync(file, JSON.stringify({ service: { name: 'echo', port: echoPort, connect: { sidecar_service: {} } } }));
    expect(await lictor('services', 'register', file)).toMatchObject({ code: 0, stdout: 'Registered service: echo\n' });
  });

  it('intention: create and check; what needs an endpoint that 1.8.7 has not says so', async () => {
    expect(await lictor('intention', 'create', '-deny', 'x', 'y')).toMatchObject({ code: 0, stdout: 'Created: x => y (deny)\n' });
    expect(await lictor('intention', 'check', 'x', 'y')).toMatchObject({ code: 1, stdout: 'Denied\n' });
    expect((await lictor('intention', 'match', 'y')).stdout).toContain('x => y (deny)');
    // By names, 1.21 deletes through /exact, of which 1.8.7 makes an id; by id both do.
    const byName = await lictor('intention', 'delete', 'x', 'y');
    expect(byName).toMatchObject({ code: 1, stderr: expect.stringMatching(/^Error deleting the intention: .* UUID must be 36/) as string });
    const listed = await fetch(`http://${agent.address}/v1/connect/intentions`).then(
      (response) => response.json() as Promise<{ ID: string }[]>,
    );
    expect(await lictor('intention', 'delete', listed[0]?.ID ?? '')).toMatchObject({ code: 0, stdout: 'Intention deleted.\n' });
    expect(await lictor('intention', 'check', 'x', 'y')).toMatchObject({ code: 0, stdout: 'Allowed\n' });
  });

  it("connect proxy -sidecar-for serves a service that the real agent certifies, to Lictor's and to Consul's proxy", async () => {
    await spawn(LICTOR, 'connect', 'proxy', '-sidecar-for', 'echo').waitFor(/ready to serve/);
    await spawn(LICTOR, 'connect', 'proxy', '-service', 'web', '-upstream', `echo:${fromLictor}`).waitFor(/Starting listener/);
    await spawn(consul, 'connect', 'proxy', '-service', 'web', '-upstream', `echo:${fromConsul}`).waitFor(/Starting listener/);
    await eventually("the echo through Lictor's", async () => (await echoThrough(fromLictor, 'one\n')) === 'one\n');
    await eventually("the echo through Consul's", async () => (await echoThrough(fromConsul, 'two\n')) === 'two\n');
  });

  it('refuses what an intention of the real agent denies', async () => {
    expect((await lictor('intention', 'create', '-deny', 'web', 'echo')).code).toBe(0);
    await eventually("the refusal of Lictor's", async () => (await echoThrough(fromLictor, 'no\n')) === '');
    await eventually("the refusal of Consul's", async () => (await echoThrough(fromConsul, 'no\n')) === '');
  });
});
