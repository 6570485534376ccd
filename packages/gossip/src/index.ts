export * from './driver/index.ts';
export { GOSSIP_ERROR_CODES, GossipError, type GossipErrorCode } from './errors.ts';
export { distance } from './serf/index.ts';
export * from './types.ts';
