import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestCa } from '../../packages/pki/src/testing/index.ts';
import { commandTable } from '../../packages/cli/src/commands/table.ts';
import { run } from '../../packages/cli/src/testing/run.ts';
import { eventually, freePorts, LICTOR, sidecarPorts, TestProcess } from '../support/process.ts';

/**
 * Canaries in every place where a secret comes in, real processes at the most talkative, and every output searched for them
 * (CVE-2020-28053; security.md 5.1). Values that the API is asked to hand out, a leaf's key to its service, are searched for in all other places.
 */
const canaries = new Map<string, string>();

/** A new secret; `where` is what a failure names. */
function canary(where: string): string {
  const value = `c4n4ry${(canaries.size + 1).toString(36).padStart(3, '0')}x${Buffer.from(where).toString('hex').slice(0, 24)}`;
  canaries.set(value, where);
  return value;
}

/** Where secrets were found, by the name of the place that they came in at. */
function leaksOf(output: string): string[] {
  return [...canaries].filter(([value]) => output.includes(value)).map(([, where]) => where);
}

/** A line from the middle of a PEM: what it holds is enough to know it by. */
function keepSecret(where: string, pem: string): void {
  const line = pem.split('\n')[1] ?? '';
  expect(line.length).toBeGreaterThan(40);
  canaries.set(line, where);
}

let folder: string;
let agent: TestProcess;
let address: string;
let httpPort: number;
const answers: { readonly what: string; readonly text: string }[] = [];

async function ask(
  method: string,
  path: string,
  options: { readonly body?: unknown; readonly headers?: Record<string, string> } = {},
): Promise<string> {
  const { body, headers } = options;
  const response = await fetch(`http://${address}${path}`, {
    method,
    redirect: 'manual',
    ...(headers === undefined ? {} : { headers }),
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = `${response.status} ${JSON.stringify([...response.headers])}\n${await response.text()}`;
  answers.push({ what: `${method} ${path.replace(/c4n4ry\w+/g, 'CANARY')}`, text });
  return text;
}

/** HTTP as no client library writes it. */
function askRaw(text: string): Promise<void> {
  return new Promise((done) => {
    let received = '';
    const socket = connect(httpPort, '127.0.0.1', () => socket.end(text));
    socket.on('data', (chunk) => (received += chunk.toString()));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      answers.push({ what: JSON.stringify(text.slice(0, 40)), text: received });
      done();
    });
  });
}

const environment = {
  CONSUL_HTTP_TOKEN: canary('CONSUL_HTTP_TOKEN'),
  CONSUL_HTTP_AUTH: `user:${canary('CONSUL_HTTP_AUTH')}`,
  LICTOR_TEST_PASSWORD: canary('environment of script checks'),
};

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lictor-secrets-'));
  const [http = 0, dns = 0, grpc = 0, server = 0, lan = 0, wan = 0] = await freePorts(6);
  httpPort = http;
  address = `127.0.0.1:${http}`;
  const ca = await createTestCa({ nowMs: Date.now() });
  const caKey = ca.signer.key.pem.reveal();
  keepSecret('private key of the CA', caKey);
  const { min, max } = sidecarPorts();
  const config = {
    ports: { http, dns, grpc, grpc_tls: -1, server, serf_lan: lan, serf_wan: wan, sidecar_min_port: min, sidecar_max_port: max },
    enable_debug: true,
    enable_script_checks: true,
    encrypt: Buffer.from(canary('encrypt').padEnd(32, '0').slice(-32)).toString('base64'),
    retry_join: [`provider=aws tag_key=a secret_access_key=${canary('retry_join')}`],
    telemetry: { prometheus_retention_time: '60s', circonus_api_token: canary('telemetry.circonus_api_token') },
    connect: { ca_config: { root_cert: ca.rootPem, private_key: caKey } },
    acl: {
      tokens: Object.fromEntries(
        ['agent', 'agent_recovery', 'default', 'replication', 'config_file_service_registration', 'dns', 'initial_management'].map(
          (name) => [name, canary(`acl.tokens.${name}`)],
        ),
      ),
    },
    services: [
      {
        name: 'web',
        port: 8080,
        token: canary('service token in a file'),
        connect: { sidecar_service: {} },
        checks: [
          {
            http: `http://user:${canary('userinfo in the URL of a check')}@127.0.0.1:1/?api_key=${canary('query in the URL of a check')}`,
            interval: '1s',
            header: { Authorization: [canary('header of a check')] },
            body: canary('body of a check'),
          },
        ],
      },
    ],
    check: { name: 'script', args: ['/bin/sh', '-c', 'exit 1'], interval: '1s', token: canary('check token in a file') },
    watches: [
      {
        type: 'key',
        key: 'watched',
        token: canary('token of a watch'),
        handler_type: 'http',
        http_handler_config: {
          path: `http://user:${canary('userinfo in the handler of a watch')}@127.0.0.1:1/`,
          timeout: '1s',
          header: { Authorization: [canary('header in the handler of a watch')] },
        },
      },
    ],
  };
  writeFileSync(join(folder, 'agent.json'), JSON.stringify(config));
  agent = new TestProcess(LICTOR, ['agent', '-dev', '-log-level=trace', `-config-file=${join(folder, 'agent.json')}`], {
    env: environment,
    cwd: folder,
  });
  await eventually('a leader', async () => {
    const answer = await fetch(`http://${address}/v1/status/leader`).then(
      (response) => response.text(),
      () => '',
    );
    if (!agent.running) throw new Error(`the agent ended:\n${agent.output}`);
    return answer.length > 2;
  });
}, 60_000);

afterAll(async () => {
  await agent.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe('a secret', () => {
  it('sent with a request shows in no answer and no log line', async () => {
    const token = (where: string): string => canary(`token ${where}`);
    for (const path of ['/v1/agent/self', '/v1/kv/none', '/v1/nope', '/v1/session/info/none']) {
      await ask('GET', `${path}?token=${token('in the query')}`);
      await ask('GET', `${path}?%74oken=${token('in the query, escaped')}&x=1`);
      await ask('GET', `${path}?x=1&Token=${token('in the query, another case')}`);
      await ask('GET', `${path}?token=${token('in the query, with a broken escape')}%zz`);
      await ask('GET', path, { headers: { 'X-Consul-Token': token('in its header') } });
      await ask('GET', path, { headers: { Authorization: `Bearer ${token('as a bearer')}` } });
      await ask('GET', path, { headers: { Authorization: `Basic ${Buffer.from(`u:${token('as basic')}`).toString('base64')}` } });
    }
    for (const method of ['PUT', 'DELETE', 'PATCH'])
      await ask(method, `/v1/kv/a?cas=x&token=${token('of a refused write')}`, { body: 'v' });
    await ask('PUT', '/v1/agent/service/register', { body: { Name: 'tok', Token: token('in a registration') } });
    await ask('PUT', '/v1/agent/service/register', { body: { Name: 'tok', Token: [token('of the wrong type')] } });
    await ask('PUT', '/v1/agent/service/register', { body: `{"Name":"tok","Token":"${token('in broken JSON')}` });
    await ask('PUT', '/v1/agent/check/register', { body: { Name: 'tok', TTL: '1h', Token: token('in a check') } });
    await ask('PUT', '/v1/agent/token/default', { body: { Token: token('for the agent') } });
    await ask('PUT', '/v1/agent/token/default', { body: `{"Token":"${token('for the agent, in broken JSON')}` });
    await askRaw(`GET /v1/kv/a?token=${token('in a request that is no HTTP')} HTTP/9.9\r\nHost: x\r\n\r\n`);
    await askRaw(`GET /v1/kv/a HTTP/1.1\r\nX-Consul-Token: ${token('in a request without a host')}\r\nConnection: close\r\n\r\n`);
    await askRaw(`GET http://u:${token('as userinfo')}@x/v1/kv/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    expect(answers.length).toBeGreaterThan(30);
    check();
  });

  it('of the certificate authority shows in no answer and no log line, good or refused', async () => {
    const config = (more: object): object => ({ Provider: 'consul', Config: more });
    const { rootPem, signer } = await createTestCa({ nowMs: Date.now() });
    keepSecret('private key of the next CA', signer.key.pem.reveal());
    await ask('PUT', '/v1/connect/ca/configuration', { body: config({ PrivateKey: canary('a private key that is none') }) });
    const broken = `-----BEGIN EC PRIVATE KEY-----\n${canary('a private key that cannot be read')}\n-----END EC PRIVATE KEY-----\n`;
    await ask('PUT', '/v1/connect/ca/configuration', { body: config({ PrivateKey: broken, RootCert: rootPem }) });
    await ask('PUT', '/v1/connect/ca/configuration', {
      body: {
        Provider: 'vault',
        Config: {
          Address: 'http://127.0.0.1:1',
          Token: canary('token of Vault'),
          AuthMethod: { Params: { secret_id: canary('secret of Vault') } },
        },
      },
    });
    expect(
      await ask('PUT', '/v1/connect/ca/configuration', { body: config({ PrivateKey: signer.key.pem.reveal(), RootCert: rootPem }) }),
    ).toMatch(/^200/);
    for (const path of ['/v1/connect/ca/configuration', '/v1/connect/ca/roots', '/v1/agent/connect/ca/roots', '/v1/agent/self'])
      await ask('GET', path);
    check();
  });

  it('of a leaf goes to who asks for it and nowhere else', async () => {
    const response = await fetch(`http://${address}/v1/agent/connect/ca/leaf/web`);
    const { PrivateKeyPEM } = (await response.json()) as { PrivateKeyPEM: string };
    keepSecret('private key of a leaf', PrivateKeyPEM);
    for (const path of ['/v1/agent/self', '/v1/agent/services', '/v1/agent/metrics', '/v1/catalog/service/web']) await ask('GET', path);
    check();
  });

  it('in the configuration shows in no view of the agent', async () => {
    await ask('PUT', '/v1/kv/watched', { body: 'now' });
    await agent.waitFor(/watch|handler/i);
    await eventually('the check to have failed', async () => (await ask('GET', '/v1/agent/checks')).includes('refused') || undefined);
    for (const path of [
      '/v1/agent/self',
      '/v1/agent/host',
      '/v1/agent/metrics',
      '/v1/agent/metrics?format=prometheus',
      '/v1/agent/members',
      '/v1/agent/services',
      '/v1/agent/service/web',
      '/v1/agent/version',
      '/v1/operator/usage',
      '/v1/internal/ui/services',
      '/debug/pprof/cmdline',
      '/debug/pprof/goroutine',
      '/debug/pprof/',
    ])
      await ask('GET', path);
    await ask('PUT', '/v1/agent/reload');
    check();
  });

  it('shows in no output of the command line, help and errors included', async () => {
    const outputs: string[] = [];
    const cli = async (...args: readonly string[]): Promise<void> => {
      const { stdout, stderr } = await run(args, { agent: address, env: environment });
      outputs.push(stdout, stderr);
    };
    const token = canary('-token');
    for (const args of [
      ['kv', 'get', `-token=${token}`, 'none'],
      ['kv', 'get', `-token=${token}`, '-http-addr=127.0.0.1:1', 'none'],
      ['kv', 'get', `-token=${token}`, '-nope'],
      ['members', `-token=${token}`, '-help'],
      ['services', 'register', `-token=${token}`, '/nowhere'],
      ['connect', 'proxy', `-token=${token}`, '-sidecar-for', 'nobody'],
      ['info', `-token=${token}`],
      ['validate', join(folder, 'agent.json')],
    ])
      await cli(...args);
    // A value without quotes is named by the parser, as by Consul's: it cannot know that the word was meant as a value.
    const broken: Record<string, string> = {
      'list.hcl': `encrypt = ["${canary('encrypt of the wrong type')}"]`,
      'map.json': JSON.stringify({ acl: { tokens: { agent: { x: canary('token of the wrong type') } } } }),
      'cut.json': `{"acl": {"tokens": {"agent": "${canary('token in broken JSON')}`,
      'quote.hcl': `acl { tokens { agent = "${canary('token in broken HCL')}\n } }`,
      'key.hcl': `encrypt = "${canary('encrypt that is no key')}"`,
      'ca.json': JSON.stringify({ connect: { ca_config: { private_key: [canary('private key of the wrong type')] } } }),
      'service.json': JSON.stringify({ service: { name: 'a', token: [canary('service token of the wrong type')] } }),
    };
    for (const [name, text] of Object.entries(broken)) {
      writeFileSync(join(folder, name), text);
      await cli('validate', join(folder, name));
      await cli('agent', '-dev', `-config-file=${join(folder, name)}`, `-http-port=${httpPort}`, '-dns-port=-1', '-grpc-port=-1');
    }
    for (const name of Object.keys(commandTable).filter((each) => !each.includes(' '))) await cli(name, '-help');
    answers.push({ what: 'the command line', text: outputs.join('\n') });
    expect(outputs.join('').length).toBeGreaterThan(5_000);
    check();
  });

  it('shows in no output of a sidecar', async () => {
    const [listen = 0] = await freePorts(1);
    const proxy = new TestProcess(
      LICTOR,
      ['connect', 'proxy', '-sidecar-for=web', '-log-level=trace', `-http-addr=${address}`, `-token=${canary('-token of a sidecar')}`],
      { env: environment },
    );
    await proxy.waitFor(/listen/i);
    await new Promise<void>((done) => connect(listen, '127.0.0.1').once('error', () => done()));
    await proxy.stop();
    answers.push({ what: 'the sidecar', text: proxy.output });
    check();
  });

  it('shows in nothing that the agent printed until its end', async () => {
    const monitored = await fetch(`http://${address}/v1/agent/monitor?loglevel=trace`);
    const reader = monitored.body?.getReader();
    await ask('GET', `/v1/kv/none?token=${canary('token while the log is watched')}`);
    const { value } = (await reader?.read()) ?? {};
    answers.push({ what: 'the monitor', text: Buffer.from(value ?? []).toString() });
    await reader?.cancel();
    await agent.stop();
    expect(agent.output).toContain('[TRACE]');
    check();
  });
});

/** Where a check looks is shown by its output to those who may read the service, as in Consul; only passwords are left out. */
const SHOWN = 'query in the URL of a check';
let checked = 0;

/** Searches what has come since the last time, and all of the log. */
function check(): void {
  const found = answers.slice(checked).flatMap(({ what, text }) => leaksOf(text).map((where) => `${what}: ${where}`));
  checked = answers.length;
  expect([...new Set(found)].filter((leak) => !leak.endsWith(SHOWN))).toEqual([]);
  expect(leaksOf(agent.output)).toEqual([]);
}
