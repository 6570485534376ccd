import type { CommandHandlers } from '../types.ts';
import { kvCommands } from './kv.ts';

/** Every command that a log may hold, by type. */
export const COMMAND_HANDLERS: CommandHandlers = { ...kvCommands };
