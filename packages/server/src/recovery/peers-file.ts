import { join } from 'node:path';
import { systemFiles } from '@lictor/raft';

/** A server applies it at its next start (`consensus/raft/recover-peers.ts`), and takes it away. */
export const PEERS_FILE = 'peers.json';

export interface Peer {
  readonly id: string;
  /** `ip:port` of its RPC. */
  readonly address: string;
}

/**
 * Consul's format of raft protocol 3. The same servers give the same bytes: a recovered cluster's id hangs on them, so that survivors which
 * are recovered each on its own machine find each other again.
 */
export function encodePeers(peers: readonly Peer[]): string {
  const sorted = [...peers].sort((left, right) => (left.id < right.id ? -1 : 1));
  return `${JSON.stringify(
    sorted.map(({ id, address }) => ({ id, address, non_voter: false })),
    undefined,
    2,
  )}\n`;
}

/** Whole and durable when it resolves. */
export async function writePeers(dataDir: string, peers: readonly Peer[]): Promise<void> {
  const files = systemFiles(join(dataDir, 'raft'));
  const temporary = `${PEERS_FILE}.tmp`;
  const file = await files.open(temporary, 0);
  try {
    await file.append(Buffer.from(encodePeers(peers)));
    await file.sync();
  } finally {
    await file.close();
  }
  await files.rename(temporary, PEERS_FILE);
}
