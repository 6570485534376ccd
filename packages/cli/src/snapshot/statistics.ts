import { Buffer } from 'node:buffer';
import { INCOMPLETE, readStringMember, skipValue } from './msgpack.ts';

export interface TypeStatistics {
  readonly Name: string;
  /** Bytes. */
  readonly Sum: number;
  readonly Count: number;
}

export interface SnapshotStatistics {
  /** Largest first. */
  readonly types: readonly TypeStatistics[];
  /** By key prefix, largest first; empty unless asked for. */
  readonly keys: readonly TypeStatistics[];
  readonly totalBytes: number;
  readonly totalKeyBytes: number;
}

/** How to break the KV entries down. */
export interface KeyBreakdown {
  readonly depth: number;
  readonly prefix: string;
}

/** One record may not be larger than this; the state is read with no more memory than twice that. */
const MAX_RECORD_BYTES = 64 * 1024 * 1024;
const KV_RECORD = 2;
/** Consul's message types, by number: they name the lines. */
const TYPE_NAMES: Readonly<Record<number, string>> = {
  0: 'Register',
  1: 'Deregister',
  2: 'KVS',
  3: 'Session',
  4: 'ACL',
  5: 'Tombstone',
  6: 'CoordinateBatchUpdate',
  7: 'PreparedQuery',
  8: 'Txn',
  9: 'Autopilot',
  10: 'Area',
  11: 'ACLBootstrap',
  12: 'Intention',
  13: 'ConnectCA',
  14: 'ConnectCAProviderState',
  15: 'ConnectCAConfig',
  16: 'Index',
  17: 'ACLToken',
  19: 'ACLPolicy',
  21: 'ConnectCALeaf',
  22: 'ConfigEntry',
  23: 'ACLRole',
  25: 'ACLBindingRule',
  27: 'ACLAuthMethod',
  29: 'ChunkingState',
  30: 'FederationState',
  31: 'SystemMetadata',
  32: 'ServiceVirtualIP',
  33: 'FreeVirtualIP',
};

/** Counts the records of a state.bin: a msgpack header, then type bytes each with a msgpack value. Lictor's and Consul's alike. */
export async function readStatistics(chunks: AsyncIterable<Uint8Array>, breakdown?: KeyBreakdown): Promise<SnapshotStatistics> {
  const types = new Map<string, { Name: string; Sum: number; Count: number }>();
  const keys: typeof types = new Map();
  let totalBytes = 0;
  let totalKeyBytes = 0;
  for await (const record of readRecords(chunks)) {
    totalBytes += record.length;
    const type = record[0] ?? 0;
    add(types, TYPE_NAMES[type] ?? `Unknown(${type})`, record.length);
    if (breakdown === undefined || type !== KV_RECORD) continue;
    const key = readStringMember(record, 1, 'Key');
    if (key === undefined || !key.startsWith(breakdown.prefix)) continue;
    add(keys, key.split('/').slice(0, breakdown.depth).join('/'), record.length);
    totalKeyBytes += record.length;
  }
  return { types: sorted(types), keys: sorted(keys), totalBytes, totalKeyBytes };
}

/** Every record with its type byte; the header is left out. @throws Error for a state that ends in the middle of one */
async function* readRecords(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let pending: Uint8Array = new Uint8Array(0);
  let isPastHeader = false;
  for await (const chunk of chunks) {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
    let position = 0;
    while (position < pending.length) {
      const end = skipValue(pending, isPastHeader ? position + 1 : position);
      if (end === INCOMPLETE) break;
      if (isPastHeader) yield pending.subarray(position, end);
      isPastHeader = true;
      position = end;
    }
    pending = pending.subarray(position);
    if (pending.length > MAX_RECORD_BYTES) throw new Error(`a record is larger than ${MAX_RECORD_BYTES} bytes`);
  }
  if (pending.length > 0) throw new Error('unexpected EOF');
}

function add(groups: Map<string, { Name: string; Sum: number; Count: number }>, name: string, bytes: number): void {
  const group = groups.get(name) ?? { Name: name, Sum: 0, Count: 0 };
  group.Sum += bytes;
  group.Count++;
  groups.set(name, group);
}

function sorted(groups: ReadonlyMap<string, TypeStatistics>): readonly TypeStatistics[] {
  return [...groups.values()].sort((a, b) => b.Sum - a.Sum || (a.Name < b.Name ? -1 : 1));
}
