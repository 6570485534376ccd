export type { Applied, Consensus, RaftStats } from './port.ts';
export { createSingleNodeConsensus, type Disk, type LogDisk, type SingleNodeOptions, type StoredRecord } from './single-node/index.ts';
