export { type DiskFault, Faults } from './faults/index.ts';
export { ManualClock } from './manual-clock.ts';
export { type ClusterOptions, LocalCluster, startCluster } from './start-cluster.ts';
export { type ServiceDefinition, TestAgent, type TestService } from './test-agent.ts';
