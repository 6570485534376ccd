import { join } from 'node:path';
import { systemFiles } from '@lictor/raft';
import { encodePeers, type Peer, PEERS_FILE } from '../consensus/raft/peers-file.ts';
import { writeSmallFile } from '../consensus/raft/small-files.ts';

/** Whole and durable when it resolves. */
export async function writePeers(dataDir: string, peers: readonly Peer[]): Promise<void> {
  await writeSmallFile(systemFiles(join(dataDir, 'raft')), PEERS_FILE, encodePeers(peers));
}
