export { type EventPorts, LocalUserEvents } from './events.ts';
