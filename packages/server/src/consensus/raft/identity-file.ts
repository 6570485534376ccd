import { LictorError } from '@lictor/protocol';

/** Which cluster's log a data directory holds, and whose. */
export interface Identity {
  readonly clusterId: string;
  readonly nodeId: string;
  /** Which peers.json made the cluster what it is, if one did: its SHA-256. */
  readonly recovery: string;
}

export const IDENTITY_FILE = 'cluster.json';
const FORMAT = 1;

export function encodeIdentity({ clusterId, nodeId, recovery }: Identity): string {
  return `${JSON.stringify({ Format: FORMAT, ClusterID: clusterId, NodeID: nodeId, Recovery: recovery }, undefined, 2)}\n`;
}

/** @throws LictorError when it is damaged or a newer version's */
export function parseIdentity(text: string): Identity {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (thrown) {
    throw new LictorError('internal', `raft/${IDENTITY_FILE} is damaged`, { cause: thrown });
  }
  const { Format, ClusterID, NodeID, Recovery } = (value ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof Format === 'number' && Format > FORMAT) {
    throw new LictorError(
      'internal',
      `the data directory was written by a newer version of Lictor (format ${Format}, this one knows ${FORMAT})`,
    );
  }
  if (Format !== FORMAT || typeof ClusterID !== 'string' || typeof NodeID !== 'string') {
    throw new LictorError('internal', `raft/${IDENTITY_FILE} is damaged`);
  }
  return { clusterId: ClusterID, nodeId: NodeID, recovery: typeof Recovery === 'string' ? Recovery : '' };
}
