// The main job in one terminal: an agent, an echo service, two sidecars; hello, deny, refusal with its reason, allow.
// `npm start` runs it; `--once` ends it after the last step (tests do).
import { spawn } from 'node:child_process';
import { createWriteStream, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { ROOT } from './lib/runtime.mjs';

const ONCE = process.argv.includes('--once');
const LICTOR = join(ROOT, 'packages', 'cli', 'bin', process.platform === 'win32' ? 'lictor.mjs' : 'lictor');
const FOLDER = join(ROOT, '.demo');
const WAIT_MS = 10_000;
const children = [];

rmSync(FOLDER, { recursive: true, force: true });
mkdirSync(join(FOLDER, 'consul.d'), { recursive: true });
process.on('SIGINT', () => void stop(0));
process.on('SIGTERM', () => void stop(0));
process.on('uncaughtException', (error) => void abort(error));

const ports = await choosePorts();
process.env.CONSUL_HTTP_ADDR = `127.0.0.1:${ports.http}`;

say('starting a dev agent');
start('agent', ['agent', '-dev', '-node=demo', '-config-dir', join(FOLDER, 'consul.d'), ...agentPorts()]);
await until('the agent has a leader', async () => (await lictor(['kv', 'put', 'demo/started', 'yes'])).code === 0);

say(`starting an echo service on port ${ports.echo}: it knows nothing of TLS`);
createServer((socket) => socket.on('error', () => undefined).pipe(socket)).listen(ports.echo, '127.0.0.1');

say('registering it, and a client named web, each with an empty sidecar_service');
define('socat', { name: 'socat', port: ports.echo, connect: { sidecar_service: {} } });
const upstreams = [{ destination_name: 'socat', local_bind_port: ports.upstream }];
define('web', { name: 'web', connect: { sidecar_service: { proxy: { upstreams } } } });
show(await lictor(['reload']));

say('starting their two sidecars');
start('proxy-socat', ['connect', 'proxy', '-sidecar-for', 'socat']);
start('proxy-web', ['connect', 'proxy', '-sidecar-for', 'web']);

say(`web says hello to socat through 127.0.0.1:${ports.upstream} (mutual TLS between the sidecars)`);
await until('hello comes back', async () => (await hello('hello, mesh')) === 'hello, mesh');
print('    hello, mesh');

say('denying web -> socat by name');
show(await lictor(['intention', 'create', '-deny', 'web', 'socat']));
await until('web is refused', async () => (await hello('anyone there?')) === undefined);
print('    the connection was closed without an answer; the two ends say why:');
await until('the refusal is logged', async () => logLines('proxy-socat', 'authz call denied').length > 0);
for (const name of ['proxy-socat', 'proxy-web'])
  for (const line of logLines(name, 'Matched L4 intention').slice(-1)) print(`    ${name}: ${line.trim()}`);
show(await lictor(['intention', 'explain', 'web', 'socat']));

say('allowing it again');
show(await lictor(['intention', 'delete', 'web', 'socat']));
await until('hello comes back', async () => (await hello('hello again')) === 'hello again');
print('    hello again');

if (ONCE) await stop(0);
print(`
It stays up until you press Ctrl-C. In another terminal, in this folder:

    export CONSUL_HTTP_ADDR=127.0.0.1:${ports.http} PATH="$PWD/packages/cli/bin:$PATH"
    nc 127.0.0.1 ${ports.upstream}                          # type, and socat answers
    lictor catalog services
    lictor intention create -deny web socat      # open connections are cut too
    lictor intention explain web socat
    curl http://127.0.0.1:${ports.http}/v1/agent/connect/ca/roots?pretty
    dig @127.0.0.1 -p ${ports.dns} socat.service.consul SRV

Logs are in .demo/*.log`);

function agentPorts() {
  const { http, dns, grpc, server, serfLan, serfWan } = ports;
  const flags = { http, dns, grpc, server, 'serf-lan': serfLan, 'serf-wan': serfWan };
  return Object.entries(flags).map(([name, port]) => `-${name}-port=${port}`);
}

/** The well-known ports when they are free; otherwise any. */
async function choosePorts() {
  const wellKnown = { http: 8500, dns: 8600, grpc: 8502, server: 8300, serfLan: 8301, serfWan: 8302, echo: 8181, upstream: 9191 };
  const free = await Promise.all(Object.values(wellKnown).map(probe));
  if (free.every((port) => port !== undefined)) return wellKnown;
  print('    (a well-known port is taken here: using others)');
  const names = Object.keys(wellKnown);
  const servers = await Promise.all(names.map(() => listen(0)));
  const chosen = Object.fromEntries(names.map((name, position) => [name, servers[position].address().port]));
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  return chosen;
}

async function probe(port) {
  try {
    const server = await listen(port);
    await new Promise((done) => server.close(done));
    return port;
  } catch {
    return undefined;
  }
}

function listen(port) {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}

function define(name, service) {
  writeFileSync(join(FOLDER, 'consul.d', `${name}.json`), `${JSON.stringify({ service }, undefined, 2)}\n`);
}

function start(name, args) {
  const child = spawn(LICTOR, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const log = createWriteStream(join(FOLDER, `${name}.log`));
  child.stdout.pipe(log, { end: false });
  child.stderr.pipe(log, { end: false });
  child.on('exit', (code) => {
    if (children.includes(child)) void abort(new Error(`${name} ended with status ${code}: see .demo/${name}.log`));
  });
  children.push(child);
}

function lictor(args) {
  return new Promise((resolve) => {
    const child = spawn(LICTOR, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const output = [];
    child.stdout.on('data', (chunk) => output.push(chunk));
    child.stderr.on('data', (chunk) => output.push(chunk));
    child.on('close', (code) => resolve({ args, code, output: Buffer.concat(output).toString() }));
  });
}

/** What comes back for `text`, or undefined when the connection ends without an answer. */
function hello(text) {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect(ports.upstream, '127.0.0.1', () => socket.write(text));
    socket.on('data', (chunk) => {
      answer += chunk.toString();
      if (answer.length >= text.length) socket.destroy();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(answer === '' ? undefined : answer));
  });
}

function logLines(name, part) {
  return readFileSync(join(FOLDER, `${name}.log`), 'utf8')
    .split('\n')
    .filter((line) => line.includes(part));
}

async function until(what, condition) {
  const deadline = performance.now() + WAIT_MS;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`waited ${WAIT_MS / 1000} s in vain until ${what}`);
    await new Promise((done) => setTimeout(done, 50));
  }
}

function show({ args, code, output }) {
  print(`    $ lictor ${args.join(' ')}`);
  for (const line of output.trimEnd().split('\n')) print(`    ${line}`);
  if (code !== 0 && args[1] !== 'explain') throw new Error(`lictor ${args.join(' ')} ended with status ${code}`);
}

async function stop(status) {
  const running = children.splice(0).reverse();
  await Promise.all(
    running.map(async (child) => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = new Promise((done) => child.once('exit', done));
      child.kill('SIGINT');
      const force = setTimeout(() => child.kill('SIGKILL'), 5000);
      await ended;
      clearTimeout(force);
    }),
  );
  process.exit(status);
}

async function abort(error) {
  process.stderr.write(`${error.message}\n`);
  await stop(1);
}

function say(text) {
  process.stdout.write(`==> ${text}\n`);
}

function print(text) {
  process.stdout.write(`${text}\n`);
}
