import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Two of the client's tests read certificates that lie beside the module in Consul's repository, but are not part of the module.
 * We make our own ones under the same names, anew for each run, so none can expire.
 */
export function createTestCertificates(folder: string): void {
  for (const name of ['client_certs', 'hostname', 'ca_path']) mkdirSync(join(folder, name), { recursive: true });
  const root = join(folder, 'client_certs', 'rootca');
  createAuthority(root);
  issue(join(folder, 'client_certs', 'server'), 'consul.test', root);
  issue(join(folder, 'client_certs', 'client'), 'client.consul.test', root);
  const authority = join(folder, 'hostname', 'CertAuth');
  createAuthority(authority);
  issue(join(folder, 'hostname', 'Alice'), 'Alice', authority);
  // The test reads every file here as a certificate, so the keys go elsewhere.
  for (const name of ['first', 'second']) createAuthority(join(folder, 'ca_path', name), join(folder, `${name}.key`));
}

function createAuthority(base: string, keyFile = `${base}.key`): void {
  const extensions = ['-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'keyUsage=critical,keyCertSign,cRLSign'];
  request(keyFile, ['-out', `${base}.crt`, '-subj', '/CN=Lictor conformance CA', ...extensions]);
}

function issue(base: string, host: string, authority: string): void {
  const usage = ['-addext', 'basicConstraints=critical,CA:FALSE', '-addext', 'extendedKeyUsage=serverAuth,clientAuth'];
  const signer = ['-CA', `${authority}.crt`, '-CAkey', `${authority}.key`];
  request(`${base}.key`, ['-out', `${base}.crt`, '-subj', `/CN=${host}`, '-addext', `subjectAltName=DNS:${host}`, ...usage, ...signer]);
}

function request(keyFile: string, args: readonly string[]): void {
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-noenc', '-keyout', keyFile];
  const result = spawnSync('openssl', ['req', '-x509', '-days', '2', ...key, ...args], { encoding: 'utf8' });
  if (result.status !== 0) throw new Error(`openssl: ${result.stderr || String(result.error)}`);
}
