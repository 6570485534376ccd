export type { NodeInfo } from './compare.ts';
export { Syncer, type SyncerPorts } from './syncer.ts';
