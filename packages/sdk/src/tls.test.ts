import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createClient } from './client.ts';
import { ConfigurationError } from './errors.ts';
import type { TlsOptions } from './tls.ts';

const folder = mkdtempSync(join(tmpdir(), 'lictor-tls-'));
const file = (name: string): string => join(folder, name);
let server: Server;
let address: string;

/** A self-signed certificate that is its own authority. */
function issue(name: string, dnsName: string): void {
  const subject = ['-subj', `/CN=${dnsName}`, '-addext', `subjectAltName=DNS:${dnsName}`];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', file(`${name}-key.pem`)];
  execFileSync('openssl', ['req', '-x509', '-days', '2', ...key, '-out', file(`${name}.pem`), ...subject], { stdio: 'ignore' });
}

beforeAll(async () => {
  issue('server', 'server.dc1.consul');
  issue('client', 'client.dc1.consul');
  mkdirSync(file('cas'));
  execFileSync('cp', [file('server.pem'), file('cas')]);
  server = createServer(
    {
      key: readFileSync(file('server-key.pem')),
      cert: readFileSync(file('server.pem')),
      ca: readFileSync(file('client.pem')),
      requestCert: true,
      rejectUnauthorized: false,
    },
    (request, response) => response.end(JSON.stringify((request.socket as TLSSocket).authorized)),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  address = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true });
});

/** Whether the server took the client's certificate. */
async function ask(tls: TlsOptions): Promise<unknown> {
  await using client = createClient({ address, tls });
  return await client.status.leader();
}

describe('TLS', () => {
  it('takes the authority from a file, a folder or a text', async () => {
    const serverName = 'server.dc1.consul:8501';
    expect(await ask({ caFile: file('server.pem'), serverName })).toBe(false);
    expect(await ask({ caPath: file('cas'), serverName })).toBe(false);
    expect(await ask({ caPem: readFileSync(file('server.pem'), 'utf8'), serverName })).toBe(false);
  });

  it('refuses a stranger, and a friend under another name (CVE-2019-9764: host name check silently off)', async () => {
    await expect(ask({ serverName: 'server.dc1.consul' })).rejects.toThrow(/self-signed certificate/);
    await expect(ask({ caFile: file('server.pem') })).rejects.toThrow(/does not match certificate|altnames/);
    await expect(ask({ caFile: file('server.pem'), serverName: 'other.dc1.consul' })).rejects.toThrow(/altnames/);
  });

  it('takes anybody only when it is told to', async () => {
    expect(await ask({ verify: false })).toBe(false);
  });

  it('presents a certificate', async () => {
    const identity = { certFile: file('client.pem'), keyFile: file('client-key.pem') };
    expect(await ask({ caFile: file('server.pem'), serverName: 'server.dc1.consul', ...identity })).toBe(true);
  });

  it('needs both halves of an identity, and files that are there', async () => {
    await expect(ask({ certFile: file('client.pem') })).rejects.toThrow('both client cert and client key must be provided');
    await expect(ask({ caFile: file('none.pem') })).rejects.toThrow(ConfigurationError);
  });
});

describe('a unix socket', () => {
  it('carries requests', async () => {
    const path = file('api.sock');
    const local = createHttpServer((request, response) => response.end(JSON.stringify(request.headers.host)));
    await new Promise<void>((resolve) => local.listen(path, resolve));
    await using client = createClient({ address: `unix://${path}` });
    expect(await client.status.leader()).toBe('localhost');
    local.closeAllConnections();
    await new Promise((resolve) => local.close(resolve));
    await expect(client.status.leader()).rejects.toThrow(`dial unix ${path}: connect: no such file or directory`);
  });
});
