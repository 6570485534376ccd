import type { Fsm } from '../../fsm/fsm.ts';
import type { Consensus } from '../port.ts';
import { SingleNodeConsensus, type SingleNodeConfig, type SingleNodePorts } from './consensus.ts';
import type { Disk } from './disk.ts';
import { DurableStorage } from './durable-storage.ts';
import { forgetfulStorage } from './storage.ts';
import { systemDisk } from './system-disk.ts';

export type { Disk, LogDisk, StoredRecord } from './disk.ts';

export interface SingleNodeOptions extends SingleNodeConfig {
  /** Null keeps everything in memory. */
  readonly dataDir: string | null;
  /** Entries kept behind a snapshot. */
  readonly trailingLogs: number;
}

/** A server without peers. `disk` stands in for the operating system's in fault tests. */
export function createSingleNodeConsensus(
  options: SingleNodeOptions,
  fsm: Fsm,
  ports: Omit<SingleNodePorts, 'storage'> & { readonly disk?: Disk },
): Consensus {
  const { clock, logger, metrics, disk = systemDisk } = ports;
  const storage =
    options.dataDir === null ? forgetfulStorage : new DurableStorage(`${options.dataDir}/raft`, options.trailingLogs, { disk, logger });
  return new SingleNodeConsensus(options, fsm, { clock, logger, metrics, storage });
}
