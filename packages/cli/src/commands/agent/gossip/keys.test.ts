import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RuntimeConfig } from '@lictor/client-agent';
import { Secret } from '@lictor/protocol';
import { MemoryLogger } from '@lictor/protocol/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadPoolKeys } from './keys.ts';

const [one, two] = [1, 2].map((byte) => new Secret(Buffer.alloc(32, byte).toString('base64'))) as [Secret, Secret];
const NONE = new Secret('');

let dataDir: string;
let file: string;
const logger = new MemoryLogger();
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'lictor-keys-'));
  file = join(dataDir, 'serf', 'local.keyring');
});
afterEach(() => rmSync(dataDir, { recursive: true }));

function load(encryptKey: Secret, { keepsKeysInMemory = false, dataDir: folder = dataDir as string | null } = {}) {
  const gossip = { encryptKey, keepsKeysInMemory } as RuntimeConfig['gossip'];
  return loadPoolKeys({ dataDir: folder, gossip } as RuntimeConfig, 'local', logger);
}
const texts = (keys: readonly Secret[]): string[] => keys.map((key) => key.reveal());

describe('the keys of a pool (consul-facts K056)', () => {
  it('are the configured one at first, which goes into a file that only its owner can read', () => {
    expect(texts(load(one).keys)).toEqual([one.reveal()]);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual([one.reveal()]);
    expect([statSync(file).mode & 0o777, statSync(join(dataDir, 'serf')).mode & 0o777]).toEqual([0o600, 0o700]);
  });

  it('are after a rotation what the members have made of them, whatever the configuration says', () => {
    load(one).onKeysChanged([two, one]);
    expect(texts(load(one).keys)).toEqual([two.reveal(), one.reveal()]);
    expect(texts(load(NONE).keys)).toEqual([two.reveal(), one.reveal()]);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('warn when the configured one is not among them, and say no key', () => {
    load(one).onKeysChanged([two]);
    logger.lines.length = 0;
    expect(texts(load(one).keys)).toEqual([two.reveal()]);
    expect(logger.lines).toMatchObject([
      { level: 'warn', message: 'keyring exists but does not contain the configured key, using keyring' },
    ]);
    for (const key of [one, two]) expect(JSON.stringify(logger.lines)).not.toContain(key.reveal());
  });

  it('are none without a configured one and without a file', () => {
    expect(load(NONE).keys).toEqual([]);
    expect(existsSync(file)).toBe(false);
  });

  it('stay in memory where the configuration wants so, or where there is no data folder', () => {
    for (const options of [{ keepsKeysInMemory: true }, { dataDir: null }]) {
      const { keys, onKeysChanged } = load(one, options);
      expect(texts(keys)).toEqual([one.reveal()]);
      onKeysChanged([two]);
      expect(existsSync(file)).toBe(false);
    }
  });

  it.each(['', '{}', '[]', '[1]', '["half a'])('in a file that is broken stop the agent, without showing what is in it: %s', (text) => {
    mkdirSync(join(dataDir, 'serf'));
    writeFileSync(file, text === '["half a' ? `["${two.reveal()}` : text);
    expect(() => load(one)).toThrow(`the keyring ${file} cannot be used: it is not a list of keys`);
    expect(() => load(one)).not.toThrow(two.reveal());
  });
});
