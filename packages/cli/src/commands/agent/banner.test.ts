import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig, NOTHING_REQUESTED, systemLoadEnvironment } from '@lictor/client-agent';
import { afterEach, describe, expect, it } from 'vitest';
import { formatBanner } from './banner.ts';
import { isGossipEncrypted } from './gossip/keys.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

/** The two lines, for an agent with these options; `keyring`: a keyring file is there. */
function lines(hcl: string, keyring = false): readonly string[] {
  const folder = mkdtempSync(join(tmpdir(), 'lictor-banner-'));
  folders.push(folder);
  if (keyring) {
    mkdirSync(join(folder, 'data', 'serf'), { recursive: true });
    writeFileSync(join(folder, 'data', 'serf', 'local.keyring'), '["x"]');
  }
  writeFileSync(join(folder, 'a.hcl'), `data_dir = "${join(folder, 'data')}" bind_addr = "127.0.0.1" ${hcl}`);
  const config = loadConfig({ ...NOTHING_REQUESTED, configPaths: [join(folder, 'a.hcl')] }, systemLoadEnvironment);
  const banner = formatBanner(config, isGossipEncrypted(config)).split('\n');
  return banner.map((line) => line.trim()).filter((line) => /^(Gossip Encryption|Auto-Encrypt-TLS):/.test(line));
}

describe('the banner (consul-facts C001)', () => {
  it.each([
    ['', false, 'false', 'false'],
    ['encrypt = "MDEyMzQ1Njc4OWFiY2RlZg=="', false, 'true', 'false'],
    ['', true, 'true', 'false'],
    ['disable_keyring_file = true', true, 'false', 'false'],
    ['auto_encrypt { tls = true }', false, 'false', 'true'],
    ['server = true bootstrap = true auto_encrypt { allow_tls = true }', false, 'false', 'true'],
  ])('%s, keyring file %s: gossip is encrypted: %s, auto-encrypt: %s', (hcl, keyring, gossip, autoEncrypt) => {
    expect(lines(hcl, keyring)).toEqual([`Gossip Encryption: ${gossip}`, `Auto-Encrypt-TLS: ${autoEncrypt}`]);
  });
});
