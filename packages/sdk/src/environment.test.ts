import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { configFromEnvironment, readTokenFile } from './environment.ts';

const folder = mkdtempSync(join(tmpdir(), 'lictor-sdk-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('CONSUL_HTTP_* (consul-facts section 3)', () => {
  it('reads every variable', () => {
    const config = configFromEnvironment({
      CONSUL_HTTP_ADDR: 'consul.example:8501',
      CONSUL_HTTP_TOKEN: 'secret',
      CONSUL_HTTP_AUTH: 'user',
      CONSUL_HTTP_SSL: 'true',
      CONSUL_HTTP_SSL_VERIFY: 'false',
      CONSUL_CACERT: '/ca.pem',
      CONSUL_CAPATH: '/cas',
      CONSUL_CLIENT_CERT: '/cert.pem',
      CONSUL_CLIENT_KEY: '/key.pem',
      CONSUL_TLS_SERVER_NAME: 'server.dc1.consul',
      CONSUL_NAMESPACE: 'ns1',
      CONSUL_PARTITION: 'p1',
    });
    expect(config).toEqual({
      address: 'consul.example:8501',
      namespace: 'ns1',
      partition: 'p1',
      ssl: true,
      token: 'secret',
      basicAuth: 'user:',
      tls: {
        caFile: '/ca.pem',
        caPath: '/cas',
        certFile: '/cert.pem',
        keyFile: '/key.pem',
        serverName: 'server.dc1.consul',
        verify: false,
      },
    });
  });

  it('prefers the token file to the token, unless it is empty', () => {
    const file = join(folder, 'token');
    writeFileSync(file, ' from-file \n');
    expect(configFromEnvironment({ CONSUL_HTTP_TOKEN_FILE: file, CONSUL_HTTP_TOKEN: 'plain' }).token).toBe('from-file');
    writeFileSync(file, '\n');
    expect(configFromEnvironment({ CONSUL_HTTP_TOKEN_FILE: file, CONSUL_HTTP_TOKEN: 'plain' }).token).toBe('plain');
  });

  it('names a token file that is not there', () => {
    const missing = join(folder, 'none');
    expect(() => readTokenFile(missing)).toThrow(`Error loading token file ${missing} : open ${missing}: no such file or directory`);
  });
});
