import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { RuntimeConfig } from '@lictor/client-agent';
import type { Logger, Secret } from '@lictor/protocol';
import { KeyringFile } from './keyring-file.ts';

export interface PoolKeys {
  /** The one to send with first; none: plain text. */
  readonly keys: readonly Secret[];
  /** After a change by the pool's members. */
  readonly onKeysChanged: (keys: readonly Secret[]) => void;
}

/** Whether gossip goes out encrypted: the keyring file decides where there is one. One that cannot be read is told when the pool starts. */
export function isGossipEncrypted({ dataDir, gossip }: RuntimeConfig): boolean {
  if (!gossip.encryptKey.isEmpty) return true;
  return !gossip.keepsKeysInMemory && dataDir !== null && existsSync(keyringPath(dataDir, 'local'));
}

/**
 * The keys of a pool: those of the keyring file, which members change together, or the configuration's when there is no file yet
 * (consul-facts K056). @throws LictorError
 */
export function loadPoolKeys({ dataDir, gossip }: RuntimeConfig, pool: 'local' | 'remote', logger: Logger): PoolKeys {
  const { encryptKey, keepsKeysInMemory } = gossip;
  const configured = encryptKey.isEmpty ? [] : [encryptKey];
  if (keepsKeysInMemory || dataDir === null) return { keys: configured, onKeysChanged: () => undefined };
  const file = new KeyringFile(keyringPath(dataDir, pool));
  const known = file.read();
  const onKeysChanged = (keys: readonly Secret[]): void => file.write(keys);
  if (known === undefined) {
    if (configured.length > 0) file.write(configured);
    return { keys: configured, onKeysChanged };
  }
  if (configured.length > 0 && !known.some((key) => key.reveal() === encryptKey.reveal())) {
    logger.warn('keyring exists but does not contain the configured key, using keyring', { keyring: `serf/${pool}.keyring` });
  }
  return { keys: known, onKeysChanged };
}

function keyringPath(dataDir: string, pool: 'local' | 'remote'): string {
  return join(dataDir, 'serf', `${pool}.keyring`);
}
