export type { MemberStatus, NodeDirectory, NodeMember, ServerDirectory, ServerMember } from './cluster/directory.ts';
export type { ServerCandidates } from './cluster/discovery.ts';
export type { DatacenterDirectory, WanServer } from './datacenters/index.ts';
export { createServerConfig, DEFAULT_SERVER_CONFIG, DEV_RAFT_TIMING, type NetworkConfig, raftTiming, type ServerConfig } from './config.ts';
export type { Applied, Consensus, RaftStorage, RaftTiming } from './consensus/index.ts';
export { inspectDataDir, type Peer, planRecovery, type RecoveryPlan, type Survivor, writePeers } from './recovery/index.ts';
export type { GossipKeyrings, KeyringAnswers, PoolKeyring } from './rpc/endpoints/operator-keyring.ts';
export type { RouteTo } from './cluster/network.ts';
export { createServer, type Server, type ServerPorts } from './server.ts';
