export { createAgentCalls, type AgentCalls, type AgentCallsPorts } from './agent-calls.ts';
