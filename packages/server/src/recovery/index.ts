export type { Peer } from '../consensus/raft/peers-file.ts';
export { inspectDataDir } from './inspect.ts';
export { planRecovery, type RecoveryPlan } from './plan.ts';
export type { LogPosition, Survivor } from './survivor.ts';
export { writePeers } from './write-peers.ts';
