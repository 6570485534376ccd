import { LictorError } from '@lictor/protocol';
import { EMPTY_MEMBERSHIP, type Membership } from '@lictor/raft';

/** A server applies it at its next start (`recover-peers.ts`), and takes it away. */
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

/** @throws LictorError */
export function parsePeers(text: string): Membership {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (thrown) {
    throw new LictorError('invalid-argument', `recovery failed to parse ${PEERS_FILE}: ${thrown instanceof Error ? thrown.message : ''}`);
  }
  if (!Array.isArray(value)) throw new LictorError('invalid-argument', `recovery failed to parse ${PEERS_FILE}: not a list of servers`);
  const addresses: Record<string, string> = {};
  const voters: string[] = [];
  const learners: string[] = [];
  for (const peer of value as readonly unknown[]) {
    const { id, address, non_voter: nonVoter = false } = (peer ?? {}) as Readonly<Record<string, unknown>>;
    if (typeof id !== 'string' || id === '' || typeof address !== 'string' || address === '' || typeof nonVoter !== 'boolean') {
      throw new LictorError('invalid-argument', `${PEERS_FILE}: each server needs "id" and "address", and may have "non_voter"`);
    }
    if (Object.hasOwn(addresses, id)) throw new LictorError('invalid-argument', `${PEERS_FILE}: ${id} is there twice`);
    addresses[id] = address;
    (nonVoter ? learners : voters).push(id);
  }
  if (voters.length === 0) throw new LictorError('invalid-argument', `${PEERS_FILE}: there must be at least one voter`);
  return { ...EMPTY_MEMBERSHIP, voters: voters.sort(), learners: learners.sort(), addresses };
}
