import { describe, expect, it } from 'vitest';
import { loadTexts } from '../testing/environment.ts';

/** Not of `-dev`, which is a server by itself. */
const load = (hcl: string) => loadTexts({ '/a.hcl': hcl }, { isDevMode: false });
const SERVER = 'server = true data_dir = "/data" bootstrap = true';
const CERTIFIED = 'ca_file = "ca" cert_file = "cert" key_file = "key"';

describe('auto_encrypt (consul-facts K057)', () => {
  it('is off, and takes the names of a client', () => {
    expect(load('data_dir = "/d"').autoEncrypt).toEqual({ tls: false, allowTls: false, dnsSans: [], ipSans: [] });
    const { autoEncrypt, warnings } = load(
      'data_dir = "/d" ca_file = "ca" auto_encrypt { tls = true dns_san = ["a.example"] ip_san = ["192.0.2.1", "::1", "no", "fe80::1%eth0"] }',
    );
    expect(autoEncrypt).toEqual({ tls: true, allowTls: false, dnsSans: ['a.example'], ipSans: ['192.0.2.1', '::1'] });
    expect(warnings).toContain('Cannot parse ip "no" from AutoEncrypt.IPSAN');
    expect(warnings).not.toContainEqual(expect.stringContaining('nothing acts on it'));
  });

  it('is no option of the other kind of agent', () => {
    expect(() => load(`${SERVER} auto_encrypt { tls = true }`)).toThrow('auto_encrypt.tls can only be used on a client.');
    expect(() => load('data_dir = "/d" auto_encrypt { allow_tls = true }')).toThrow('auto_encrypt.allow_tls can only be used on a server.');
  });

  it('turns the mesh on where servers give certificates', () => {
    expect(load(`${SERVER} connect { enabled = false }`).connect.enabled).toBe(false);
    expect(load(`${SERVER} connect { enabled = false } auto_encrypt { allow_tls = true }`).connect.enabled).toBe(true);
  });

  it('warns where it protects less than it may seem', () => {
    const allowing = (more: string): readonly string[] => load(`${SERVER} auto_encrypt { allow_tls = true } ${more}`).warnings;
    expect(allowing('')).toContainEqual(expect.stringContaining('no effect on a server without a certificate'));
    expect(allowing(CERTIFIED)).toContainEqual(expect.stringContaining('tls.internal_rpc.verify_incoming should be enabled'));
    const verifying = `${CERTIFIED} verify_incoming = true`;
    expect(allowing(verifying).filter((text) => text.includes('allow_tls'))).toEqual([expect.stringContaining('without ACLs')]);
    expect(allowing(`${verifying} acl { enabled = true }`).filter((text) => text.includes('allow_tls'))).toEqual([]);
    const client = (more: string): readonly string[] => load(`data_dir = "/d" auto_encrypt { tls = true } ${more}`).warnings;
    expect(client('')).toContainEqual(expect.stringContaining('whoever answers first is believed'));
    expect(client('ca_path = "cas"')).not.toContainEqual(expect.stringContaining('believed'));
  });

  it('lets a client verify its callers without a certificate of its own', () => {
    expect(load('data_dir = "/d" ca_file = "ca" verify_incoming = true auto_encrypt { tls = true }').internalRpcTls.verifyIncoming).toBe(
      true,
    );
  });
});
