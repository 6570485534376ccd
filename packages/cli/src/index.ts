export { commandTable } from './commands/table.ts';
export { CommandFailure, type Command, defineApiCommand, defineCommand, defineGroup, failing } from './framework/command.ts';
export type { Machine } from './commands/agent/machine.ts';
export type { ServerTiming } from './commands/agent/role.ts';
export { type EmbeddedAgent, type EmbeddedAgentOptions, startEmbeddedAgent } from './embedded.ts';
export { EXIT } from './framework/exit-codes.ts';
export type { Io, Output } from './framework/io.ts';
export { runCommandLine } from './process.ts';
