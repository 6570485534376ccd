import { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, ROOT, run } from '../support/process.ts';
import { composeCommand, must, prepareImage } from './support/engine.ts';

/** deploy/compose as its README tells to use it, on names, an address range and a port of its own. */
const FOLDER = join(ROOT, 'deploy/compose');
const TIMEOUT_MS = 150_000;
const PROJECT = `lictor-test-${process.pid}`;
const skipped = prepareImage() !== undefined;

describe.skipIf(skipped)('the mesh of deploy/compose', { timeout: TIMEOUT_MS }, () => {
  const env = {
    COMPOSE_PROJECT_NAME: PROJECT,
    LICTOR_SUBNET: `10.85.${1 + (process.pid % 254)}`,
    LICTOR_HTTP_PORT: '0',
    ...(process.env['LICTOR_IMAGE'] !== undefined && { LICTOR_IMAGE: process.env['LICTOR_IMAGE'] }),
  };
  const [program, ...words] = composeCommand();
  const compose = (...args: readonly string[]): string => must(program, [...words, '-f', join(FOLDER, 'docker-compose.yml'), ...args], env);
  const fail = (...args: readonly string[]): string => must(join(FOLDER, 'fail.sh'), args, env);
  const lictor = (service: string, ...args: readonly string[]): string => compose('exec', '-T', service, 'lictor', ...args);
  const idOf = (service: string): string => compose('ps', '-q', service).trim();
  const writeInside = (service: string, file: string, content: object): string =>
    must('docker', ['exec', idOf(service), 'sh', '-c', 'printf %s "$1" >"/dev/shm/$0"', file, JSON.stringify(content)]);
  /** What the agent of a node knows: the active root first, echo's leaf, the states of the node's checks. */
  const mesh = async (node: string): Promise<{ roots: string[]; leaf: X509Certificate; checks: string }> => {
    const paths = ['agent/connect/ca/roots', 'agent/connect/ca/leaf/echo', 'agent/checks'];
    const script = `Promise.all(${JSON.stringify(paths)}.map((path) => fetch('http://127.0.0.1:8500/v1/' + path).then((each) => each.json())))
      .then((answers) => console.log(JSON.stringify(answers)))`;
    const [roots, leaf, checks] = JSON.parse(must('docker', ['exec', idOf(node), 'node', '-e', script])) as [
      { ActiveRootID: string; Roots: { ID: string; RootCert: string }[] },
      { CertPEM: string },
      Record<string, { Status: string }>,
    ];
    return {
      roots: roots.Roots.toSorted(({ ID }) => (ID === roots.ActiveRootID ? -1 : 1)).map(({ RootCert }) => RootCert),
      leaf: new X509Certificate(leaf.CertPEM),
      checks: Object.values(checks)
        .map(({ Status }) => Status)
        .join(' '),
    };
  };
  /** What the caller logs from now on, until it has said `pattern`, a line a second. */
  const callerSays = async (pattern: RegExp): Promise<string> => {
    const id = idOf('caller');
    const since = new Date().toISOString();
    return eventually(
      `the caller says ${pattern}`,
      async () => {
        const { stdout } = await run('docker', ['logs', '--since', since, id]);
        return pattern.test(stdout) && stdout;
      },
      TIMEOUT_MS,
    );
  };

  beforeAll(() => {
    must(join(FOLDER, 'secrets.sh'), [], env);
    compose('up', '-d');
  }, TIMEOUT_MS);
  afterAll(() => {
    compose('down', '--volumes', '--timeout', '1');
    must('docker', ['volume', 'rm', `${PROJECT}-server-secrets`, `${PROJECT}-client-secrets`]);
  }, TIMEOUT_MS);

  it('lets the caller reach echo across nodes, through both sidecars', async () => {
    await callerSays(/echo: hello \d+\n/);
    expect(lictor('client-2', 'members')).toMatch(/(?:.* alive .*\n){5}/);
    expect(lictor('server-1', 'info')).toContain('encrypted = true');
  });

  it('gives echo to nobody who is no sidecar, and no server key to a client', async () => {
    const direct = `fetch('http://${env.LICTOR_SUBNET}.21:9090').then(() => 0, () => process.exit(7))`;
    await expect(run('docker', ['exec', idOf('node-2'), 'node', '-e', direct])).resolves.toMatchObject({ code: 7 });
    const certificate = (service: string): string => compose('exec', '-T', service, 'cat', '/lictor/secrets/cert.pem');
    expect(certificate('server-2')).not.toBe(certificate('client-2'));
  });

  it('is cut by an intention that denies, and mended by one that allows', async () => {
    fail('deny');
    try {
      await callerSays(/no answer/);
    } finally {
      fail('allow');
    }
    await callerSays(/echo: hello/);
  });

  it('serves every call while the leader is killed', async () => {
    const old = fail('leader').trim();
    const since = new Date().toISOString();
    fail('kill', 'leader');
    await eventually('another leader', async () => fail('leader').trim() !== old, TIMEOUT_MS);
    await callerSays(/echo: hello/);
    const { stdout } = await run('docker', ['logs', '--since', since, idOf('caller')]);
    expect(stdout).not.toContain('no answer');
    fail('heal');
  });

  it('loses echo with its node’s network, and has it back with it', async () => {
    fail('cut', 'node-1');
    await callerSays(/no answer/);
    fail('heal');
    await callerSays(/echo: hello/);
  });

  it('has leaves of the new root everywhere after the CA was rotated, and serves every call meanwhile', async () => {
    const since = new Date().toISOString();
    const [oldRoot = ''] = (await mesh('client-1')).roots;
    writeInside('server-1', 'ca.json', { Provider: 'consul', Config: { PrivateKeyType: 'ec', PrivateKeyBits: 384 } });
    lictor('server-1', 'connect', 'ca', 'set-config', '-config-file=/dev/shm/ca.json');
    for (const node of ['client-1', 'client-2']) {
      await eventually(
        `a leaf of the new root on ${node}`,
        async () => {
          const { roots, leaf } = await mesh(node);
          const [active = ''] = roots;
          return active !== oldRoot && leaf.verify(new X509Certificate(active).publicKey);
        },
        TIMEOUT_MS,
      );
    }
    await callerSays(/echo: hello/);
    const { stdout } = await run('docker', ['logs', '--since', since, idOf('caller')]);
    expect(stdout).not.toContain('no answer');
  });

  it('lets a service move to another node, where it is the same to everybody', async () => {
    const before = (await mesh('client-1')).leaf.subjectAltName;
    must('docker', ['exec', '-d', idOf('caller'), 'node', '/apps/echo.mjs']);
    writeInside('client-2', 'echo.json', { service: { name: 'echo', port: 9090, connect: { sidecar_service: {} } } });
    lictor('client-2', 'services', 'register', '/dev/shm/echo.json');
    must('docker', ['exec', '-d', idOf('caller-sidecar'), 'lictor', 'connect', 'proxy', '-sidecar-for=echo']);
    fail('kill', 'echo-sidecar');
    await eventually(
      'the old instance fails its check',
      async () => /critical/.test(await mesh('client-1').then(({ checks }) => checks)),
      TIMEOUT_MS,
    );
    await callerSays(/echo: hello/);
    expect((await mesh('client-2')).leaf.subjectAltName).toBe(before);
    fail('heal', 'echo-sidecar');
    lictor('client-2', 'services', 'deregister', '-id=echo');
    await callerSays(/echo: hello/);
  });

  it('serves on without one of the client agents', async () => {
    fail('kill', 'client-1');
    await callerSays(/(?:echo: hello \d+\n[^]*){3}/);
    fail('heal', 'client-1');
  });
});
