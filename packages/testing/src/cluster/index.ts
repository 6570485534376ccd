export { type ClusterOptions, LocalCluster, startCluster } from './start-cluster.ts';
export { type ServiceDefinition, TestAgent, type TestService } from './test-agent.ts';
