export { RaftConsensus, type RaftConsensusConfig, type RaftConsensusPorts, type RaftTiming } from './consensus.ts';
export { diskStorage, memoryStorage, type RaftStorage } from './storage.ts';
