export { type Agent, type AgentPorts, createAgent } from './agent.ts';
export * from './config/index.ts';
export type * from './contracts/index.ts';
