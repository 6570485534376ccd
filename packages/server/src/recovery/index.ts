export { inspectDataDir } from './inspect.ts';
export { encodePeers, type Peer, PEERS_FILE, writePeers } from './peers-file.ts';
export { planRecovery, type RecoveryPlan } from './plan.ts';
export type { LogPosition, Survivor } from './survivor.ts';
