export type { Applied, Consensus, RaftStats } from './port.ts';
export { diskStorage, memoryStorage, RaftConsensus, type RaftStorage, type RaftTiming } from './raft/index.ts';
