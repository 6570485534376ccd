export type { Applied, Consensus } from './port.ts';
export { createSingleNodeConsensus, type SingleNodeConfig } from './single-node/consensus.ts';
