export { createAgentCalls, type AgentCalls, type AgentCallsPorts } from './agent-calls.ts';
export { type AgentIdentity, createEnrolledCalls, type EnrolledCalls } from './enrolled-calls.ts';
