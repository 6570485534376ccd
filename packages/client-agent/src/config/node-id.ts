import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Random, randomUuid } from '@lictor/protocol';
import { writeFileAtomic } from '../local/atomic-file.ts';
import { ConfigError } from './config-error.ts';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * The node's UUID: the configured one, else the one kept in data_dir, else a new one, kept there. Without data_dir it is
 * random (consul-facts K006, K046).
 * @throws ConfigError when data_dir holds something else under that name
 */
export function resolveNodeId(configured: string, dataDir: string | null, random: Random): string {
  if (dataDir === null) return configured === '' ? randomUuid(random) : configured;
  const file = join(dataDir, 'node-id');
  const kept = readKept(file);
  if (configured === '' && kept !== undefined) {
    if (!UUID.test(kept)) throw new ConfigError(`NodeID in file ${JSON.stringify(file)} is invalid: must be a UUID`, { file });
    return kept;
  }
  const nodeId = configured === '' ? randomUuid(random) : configured;
  if (kept !== nodeId) {
    mkdirSync(dataDir, { recursive: true, mode: 0o755 });
    writeFileAtomic(file, nodeId, 0o600);
  }
  return nodeId;
}

function readKept(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim().toLowerCase();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
