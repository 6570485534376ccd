export type { ClusterOptions } from './cluster-options.ts';
export { LictorCluster } from './lictor-cluster.ts';
export { LictorContainer } from './lictor-container.ts';
export { StartedLictorCluster } from './started-lictor-cluster.ts';
export { StartedLictorContainer } from './started-lictor-container.ts';
