export { bootstrap } from './bootstrap.ts';
export { RaftNode } from './node.ts';
export { DEFAULT_NODE_LIMITS, type NodeOptions, type NodePorts, type NodeStatus, type PeerStatus } from './options.ts';
export * from './ports.ts';
export type { Applied } from './waiters.ts';
