import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createServer } from 'node:tls';
import { parseCertificate } from '@lictor/pki';
import { hasOpenssl } from '@lictor/pki/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { run, type RunResult } from '../../testing/run.ts';

let folder = '';
const tls = (commandLine: string): Promise<RunResult> => run(`tls ${commandLine}`, { cwd: folder });
const read = (file: string): string => readFileSync(join(folder, file), 'utf8');
const certificate = (file: string) => parseCertificate(read(file));
const openssl = (...args: readonly string[]): string => execFileSync('openssl', args, { cwd: folder, encoding: 'utf8', stdio: 'pipe' });
const DAY_MS = 24 * 3_600_000;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lictor-tls-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('tls ca create', () => {
  it('keeps the certificate for all to read and the key for its owner', async () => {
    expect(await tls('ca create')).toEqual({
      exitCode: 0,
      stdout: '==> Saved consul-agent-ca.pem\n==> Saved consul-agent-ca-key.pem\n',
      stderr: '',
    });
    expect(statSync(join(folder, 'consul-agent-ca-key.pem')).mode & 0o777).toBe(0o600);
    const { isCa, notAfterMs, notBeforeMs, uris } = certificate('consul-agent-ca.pem');
    expect({ isCa, uris, days: (notAfterMs - notBeforeMs) / DAY_MS }).toEqual({ isCa: true, uris: [], days: 1825 });
  });

  it.each(['consul-agent-ca.pem', 'consul-agent-ca-key.pem'])('overwrites no %s', async (file) => {
    writeFileSync(join(folder, file), 'mine');
    expect(await tls('ca create')).toEqual({ exitCode: 1, stdout: '', stderr: `${file} already exists.\n` });
    expect(read(file)).toBe('mine');
  });

  it('writes a key through no link', async () => {
    symlinkSync(join(folder, 'elsewhere'), join(folder, 'consul-agent-ca-key.pem'));
    expect(await tls('ca create')).toMatchObject({ exitCode: 1, stderr: 'consul-agent-ca-key.pem already exists.\n' });
    expect(() => statSync(join(folder, 'elsewhere'))).toThrow(/ENOENT/);
  });

  it('names and dates the CA as it is told', async () => {
    await tls('ca create -domain example.com -days 10 -common-name Test -cluster-id ABC');
    const { notAfterMs, notBeforeMs, uris, subject } = certificate('example.com-agent-ca.pem');
    expect({ uris, days: (notAfterMs - notBeforeMs) / DAY_MS }).toEqual({ uris: ['spiffe://abc.example.com'], days: 10 });
    expect(subject.toString('latin1')).toContain('Test');
  });

  it.each(['-days 0', '-days -1', '-days 9999999', `-common-name ${'x'.repeat(65)}`])('refuses %s', async (flag) => {
    expect(await tls(`ca create ${flag}`)).toMatchObject({ exitCode: 1, stdout: '' });
  });
});

describe('tls cert create', () => {
  it.each([
    ['-server', 'server', ['serverAuth', 'clientAuth']],
    ['-client', 'client', ['clientAuth', 'serverAuth']],
  ])('%s: names, uses and files', async (flag, role, extKeyUsage) => {
    await tls('ca create');
    const { exitCode, stdout } = await tls(`cert create ${flag} -additional-dnsname a.example -additional-ipaddress ::1`);
    const saved = `==> Using consul-agent-ca.pem and consul-agent-ca-key.pem\n==> Saved dc1-${role}-consul-0.pem\n==> Saved dc1-${role}-consul-0-key.pem\n`;
    expect([exitCode, stdout.replace(/==> WARNING: Server Certificates(?:.*\n){4}/, '')]).toEqual([0, saved]);
    expect(stdout.includes('WARNING')).toBe(flag === '-server');
    expect(certificate(`dc1-${role}-consul-0.pem`)).toMatchObject({
      dnsNames: ['a.example', `${role}.dc1.consul`, 'localhost'],
      ips: ['::1', '127.0.0.1'],
      extKeyUsage,
      keyUsage: ['digitalSignature', 'keyEncipherment'],
      isCa: false,
    });
    expect(statSync(join(folder, `dc1-${role}-consul-0-key.pem`)).mode & 0o777).toBe(0o600);
  });

  it('-cli: two names and any use', async () => {
    await tls('ca create');
    await tls('cert create -cli -additional-dnsname a.example');
    expect(certificate('dc1-cli-consul-0.pem')).toMatchObject({ dnsNames: ['cli.dc1.consul', 'localhost'], ips: [], extKeyUsage: null });
  });

  it('counts up, and skips a number of which only the key is there', async () => {
    await tls('ca create');
    await tls('cert create -client');
    writeFileSync(join(folder, 'dc1-client-consul-1-key.pem'), 'mine');
    const { stdout } = await tls('cert create -client');
    expect(stdout).toContain('==> Saved dc1-client-consul-2.pem\n');
    expect(read('dc1-client-consul-1-key.pem')).toBe('mine');
  });

  it('names the node of a server, the datacenter and the domain', async () => {
    await tls('ca create -domain example.com');
    await tls('cert create -server -node n1 -dc dc2 -domain example.com -days 3');
    const { dnsNames, notAfterMs, notBeforeMs } = certificate('dc2-server-example.com-0.pem');
    expect(dnsNames).toEqual(['n1.server.dc2.example.com', 'server.dc2.example.com', 'localhost']);
    expect((notAfterMs - notBeforeMs) / DAY_MS).toBe(3);
  });

  it.each([
    ['', 'Please provide either -server, -client, or -cli\n'],
    ['-server -client', 'Please provide either -server, -client, or -cli\n'],
    ['-client -node n1', '-node requires -server\n'],
    ['-client -ca=', 'Please provide the ca\n'],
    ['-client -key=', 'Please provide the key\n'],
    ['-client -additional-ipaddress 1.2.3', 'invalid IP address: 1.2.3\n'],
    ['-client -ca none.pem', /^Error reading CA: .*none\.pem/],
    ['-client -key none.pem', /^Error reading CA key: .*none\.pem/],
    ['-client -key consul-agent-ca.pem', /PEM block type/],
    ['-client -key other-agent-ca-key.pem', "x509: provided PrivateKey doesn't match parent's PublicKey\n"],
  ])('%s fails: %s', async (flags, message) => {
    await tls('ca create');
    await tls('ca create -domain other');
    const { exitCode, stderr } = await tls(`cert create ${flags}`.trim());
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(message);
    expect(() => statSync(join(folder, 'dc1-client-consul-0.pem'))).toThrow(/ENOENT/);
  });

  it('takes no leaf for a CA', async () => {
    await tls('ca create');
    await tls('cert create -client');
    const { stderr } = await tls('cert create -server -ca dc1-client-consul-0.pem -key dc1-client-consul-0-key.pem');
    expect(stderr).toBe('x509: invalid signature: parent certificate cannot sign this kind of certificate\n');
  });

  it('names nothing that its CA may not name', async () => {
    await tls('ca create -name-constraint -additional-name-constraint example.com');
    expect(await tls('cert create -server -additional-dnsname a.example.com')).toMatchObject({ exitCode: 0 });
    const { exitCode, stderr } = await tls('cert create -server -additional-dnsname example.org');
    expect([exitCode, stderr]).toEqual([
      1,
      'x509: a root or intermediate certificate is not authorized to sign for this name: DNS name "example.org" is not permitted by any constraint\n',
    ]);
  });

  it.skipIf(!hasOpenssl)('makes what openssl takes, under a CA with constraints too', async () => {
    await tls('ca create -name-constraint');
    await tls('cert create -server');
    const purposes = ['sslserver', 'sslclient'].map((purpose) =>
      openssl('verify', '-x509_strict', '-purpose', purpose, '-CAfile', 'consul-agent-ca.pem', 'dc1-server-consul-0.pem'),
    );
    expect(purposes).toEqual(['dc1-server-consul-0.pem: OK\n', 'dc1-server-consul-0.pem: OK\n']);
    const text = openssl(
      'x509',
      '-in',
      'dc1-server-consul-0.pem',
      '-noout',
      '-subject',
      '-ext',
      'subjectAltName,keyUsage,extendedKeyUsage',
    );
    expect(text).toMatch(/subject=CN *= *server\.dc1\.consul/);
    expect(text).toContain('DNS:server.dc1.consul, DNS:localhost, IP Address:127.0.0.1');
    expect(text).toContain('Digital Signature, Key Encipherment');
    expect(text).toContain('TLS Web Server Authentication, TLS Web Client Authentication');
    openssl('pkey', '-in', 'dc1-server-consul-0-key.pem', '-check', '-noout');
  });

  it('serves TLS under the name that verify_server_hostname asks for, to a client of the same CA', async () => {
    await tls('ca create');
    await tls('cert create -server');
    await tls('cert create -client');
    const ids = (role: string) => ({
      ca: read('consul-agent-ca.pem'),
      cert: read(`dc1-${role}-consul-0.pem`),
      key: read(`dc1-${role}-consul-0-key.pem`),
    });
    const server = createServer({ ...ids('server'), requestCert: true, rejectUnauthorized: true }, (socket) => socket.end('served'));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    try {
      const socket = connect({ host: '127.0.0.1', port, servername: 'server.dc1.consul', ...ids('client') });
      const [chunk] = (await once(socket, 'data')) as [Buffer];
      expect([socket.authorized, chunk.toString()]).toEqual([true, 'served']);
      socket.destroy();
    } finally {
      server.close();
    }
  });
});
