export type { Applied, Consensus } from './port.ts';
export { diskStorage, memoryStorage, RaftConsensus, type RaftStorage, type RaftTiming } from './raft/index.ts';
