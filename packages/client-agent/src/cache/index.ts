export { Cache, type CachePorts, IDLE_TTL_MS, type LeafSource } from './cache.ts';
