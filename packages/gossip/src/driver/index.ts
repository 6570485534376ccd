export type { KeyManager, KeyResult } from './key-manager.ts';
export { NodeTransport, type NodeTransportOptions } from './node-transport.ts';
export {
  type Candidate,
  LAN_PROFILE,
  LOCAL_PROFILE,
  type PoolOptions,
  type PoolPorts,
  type PoolProfile,
  WAN_PROFILE,
} from './options.ts';
export { GossipPool, type ReceivedQuery } from './pool.ts';
export type { Transport, TransportHandlers, TransportTrouble } from './ports.ts';
