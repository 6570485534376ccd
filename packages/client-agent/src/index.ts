export { type Agent, type AgentPorts, createAgent } from './agent.ts';
export * from './config/index.ts';
export type * from './contracts/index.ts';
export { createDnsHandler, DnsServer } from './dns/index.ts';
export type { AgentStats, ApiDeps, BuildInfo } from './http/deps.ts';
export { type HttpApi, startHttpApi } from './http/server.ts';
export { type AgentMetrics, createLogHub, LogHub, startMetrics } from './telemetry/index.ts';
export { type KnownServer, ServerList, ServerRouter, type ServerSource } from './servers/index.ts';
export { memberName, memberTags, retryJoin } from './membership/index.ts';
