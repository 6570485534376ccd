export { type AgentTls, type AgentTlsIssuer, createAgentTlsIssuer } from './credentials/agent-tls.ts';
export { createGossipKey } from './credentials/gossip-key.ts';
