import type { AutopilotConfiguration } from '@lictor/protocol';
import type { Table } from '../types.ts';

/** The one configuration of autopilot. */
export const autopilotTable: Table<AutopilotConfiguration> = { name: 'autopilot', key: () => AUTOPILOT_KEY, indexes: {} };
export const AUTOPILOT_KEY = 'config';
