export { type EventPorts, AgentUserEvents, fireInPool } from './events.ts';
