import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { get as getSecurely, type RequestOptions } from 'node:https';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { createTestCa } from '@lictor/pki/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTestConfig } from '../testing/config.ts';
import { startTestApi, type TestApi } from '../testing/http.ts';

let folder: string;
let running: TestApi | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lictor-http-'));
});

afterEach(async () => {
  await running?.close();
  running = undefined;
  rmSync(folder, { recursive: true, force: true });
});

describe('listeners', () => {
  it('serve on a Unix socket with its mode, and take the place of one that a killed agent left', async () => {
    const socketPath = join(folder, 'http.sock');
    for (let start = 0; start < 2; start++) {
      running = await startTestApi({}, { httpListen: [{ socketPath, mode: 0o600 }] });
      expect(statSync(socketPath).mode & 0o777).toBe(0o600);
      expect(await statusOver(socketPath)).toBe(404);
      await running.close();
      if (start === 0) leaveStaleSocket(socketPath);
    }
  });

  it('do not remove a file that is no socket', async () => {
    const socketPath = join(folder, 'data');
    writeFileSync(socketPath, 'precious');
    await expect(startTestApi({}, { httpListen: [{ socketPath }] })).rejects.toThrow(/listen unix .*data/);
    expect(statSync(socketPath).size).toBe(8);
  });

  it('say which address is taken, and leave nothing open', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const address = taken.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const listen = [
      { host: '127.0.0.1', port: 0 },
      { host: '127.0.0.1', port },
    ];
    await expect(startTestApi({}, { httpListen: listen })).rejects.toThrow(`listen tcp 127.0.0.1:${port}: bind: address already in use`);
    await new Promise((resolve) => taken.close(resolve));
  });

  it('open the HTTPS port without a certificate, where every handshake fails', async () => {
    const http = { ...createTestConfig().http, certFile: '', keyFile: '' };
    running = await startTestApi({}, { http, httpsListen: [{ host: '127.0.0.1', port: 0 }] });
    const port = running.api.addresses.find(({ scheme }) => scheme === 'https')?.port ?? 0;
    const failed = await new Promise<boolean>((resolve) => {
      const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false }, () => resolve(false));
      socket.on('error', () => resolve(true));
    });
    expect(failed).toBe(true);
    expect((await running.request('/v1/kv/a')).status).toBe(404);
  });
});

describe('HTTPS', () => {
  it('serves clients that trust its CA, and with verify_incoming only those that show a certificate of it', async () => {
    const nowMs = Date.now();
    const ca = await createTestCa({ nowMs: nowMs - 60_000 });
    const { certPem, keyPem } = await ca.issue(ca.serviceId('agent'), { dnsNames: ['localhost'], notAfterMs: nowMs + 3_600_000 });
    const paths = { caFile: join(folder, 'ca.pem'), certFile: join(folder, 'cert.pem'), keyFile: join(folder, 'key.pem') };
    writeFileSync(paths.caFile, ca.rootPem);
    writeFileSync(paths.certFile, certPem);
    writeFileSync(paths.keyFile, keyPem, { mode: 0o600 });
    const http = { ...createTestConfig().http, ...paths, verifyIncoming: true };
    running = await startTestApi({}, { http, httpsListen: [{ host: '127.0.0.1', port: 0 }] });
    const port = running.api.addresses.find(({ scheme }) => scheme === 'https')?.port ?? 0;
    expect(await statusOverTls({ port, ca: ca.rootPem, cert: certPem, key: keyPem })).toBe(404);
    expect(await statusOverTls({ port, ca: ca.rootPem })).toBe('refused');
    const other = await createTestCa({ nowMs: nowMs - 60_000, clusterId: '99999999-2222-3333-4444-555555555555' });
    const foreign = await other.issue(other.serviceId('agent'), { notAfterMs: nowMs + 3_600_000 });
    expect(await statusOverTls({ port, ca: ca.rootPem, cert: foreign.certPem, key: foreign.keyPem })).toBe('refused');
    expect(await statusOverTls({ port, ca: other.rootPem, cert: certPem, key: keyPem })).toBe('refused');
    expect(await statusOverTls({ port, ca: ca.rootPem, cert: certPem, key: keyPem, maxVersion: 'TLSv1.1', minVersion: 'TLSv1.1' })).toBe(
      'refused',
    );
  });
});

function statusOverTls(options: RequestOptions): Promise<number | undefined | 'refused'> {
  return new Promise((resolve) => {
    const request = getSecurely({ host: '127.0.0.1', servername: 'localhost', path: '/v1/kv/a', agent: false, ...options }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    request.on('error', () => resolve('refused'));
  });
}

function statusOver(socketPath: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    get({ socketPath, path: '/v1/kv/a', agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode);
    }).on('error', reject);
  });
}

/** A socket file that nobody listens on any more. */
function leaveStaleSocket(socketPath: string): void {
  const script = `require('net').createServer().listen(${JSON.stringify(socketPath)}, () => process.kill(process.pid, 'SIGKILL'))`;
  spawnSync(process.execPath, ['-e', script]);
  expect(statSync(socketPath).isSocket()).toBe(true);
}
