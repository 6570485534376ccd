export { decodeCommand, encodeCommand } from './codec.ts';
export { Fsm, type FsmPorts, type LogEntry, type Outcome } from './fsm.ts';
export { type Command, CommandFailure, type CommandHandler, type CommandHandlers, Rollback } from './types.ts';
