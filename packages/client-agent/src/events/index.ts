export { type EventPorts, AgentUserEvents } from './events.ts';
