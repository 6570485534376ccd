import type { CommandHandlers } from '../types.ts';
import { autopilotCommands } from './autopilot.ts';
import { catalogCommands } from './catalog.ts';
import { configEntryCommands } from './config-entry.ts';
import { connectCaCommands } from './connect-ca.ts';
import { coordinateCommands } from './coordinate.ts';
import { intentionCommands } from './intention.ts';
import { kvCommands } from './kv.ts';
import { preparedQueryCommands } from './prepared-query.ts';
import { restoreCommands } from './restore.ts';
import { sessionCommands } from './session.ts';
import { tombstoneCommands } from './tombstone.ts';
import { txnCommands } from './txn.ts';
import { virtualIpCommands } from './virtual-ip.ts';

/** Every command that a log may hold, by type. */
export const COMMAND_HANDLERS: CommandHandlers = {
  ...autopilotCommands,
  ...catalogCommands,
  ...configEntryCommands,
  ...connectCaCommands,
  ...coordinateCommands,
  ...intentionCommands,
  ...kvCommands,
  ...preparedQueryCommands,
  ...restoreCommands,
  ...sessionCommands,
  ...tombstoneCommands,
  ...txnCommands,
  ...virtualIpCommands,
};
