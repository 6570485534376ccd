export { MemoryNetwork } from '../driver/testing/memory-network.ts';
export { addressOf, isConverged, type Observation, SimCluster, type SimOptions, stateAt } from './sim-cluster.ts';
export type { SimCore, Traffic } from './sim-core.ts';
export { FAST_NETWORK, type NetworkOptions, SimNetwork } from './sim-network.ts';
export { SimNode } from './sim-node.ts';
export { VirtualTime } from './virtual-time.ts';
