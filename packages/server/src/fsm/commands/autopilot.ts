import type { AutopilotFields } from '@lictor/protocol';
import { AUTOPILOT_KEY, autopilotTable } from '../../state/tables/autopilot.ts';
import type { StateTxn } from '../../state/types.ts';
import { isObject } from '../catalog/shapes.ts';
import { total } from '../catalog/total.ts';
import type { CommandHandlers } from '../types.ts';

export const AUTOPILOT_SET_CONFIG = 'autopilot.set-config';

export interface SetAutopilotBody {
  readonly config: AutopilotFields;
  /** Only when the configuration's ModifyIndex is this. */
  readonly cas?: number;
  /** Only when there is no configuration yet. */
  readonly ifAbsent?: boolean;
}

export const autopilotCommands = {
  [AUTOPILOT_SET_CONFIG]: total(AUTOPILOT_SET_CONFIG, isSetConfig, setConfig),
} satisfies CommandHandlers;

/** False: the condition did not hold, and nothing was written. */
function setConfig(txn: StateTxn, { config, cas, ifAbsent = false }: SetAutopilotBody): boolean {
  const existing = txn.peek(autopilotTable, AUTOPILOT_KEY);
  if (ifAbsent && existing !== undefined) return false;
  if (cas !== undefined && existing?.ModifyIndex !== cas) return false;
  txn.put(autopilotTable, {
    CleanupDeadServers: config.CleanupDeadServers,
    LastContactThreshold: config.LastContactThreshold,
    MaxTrailingLogs: config.MaxTrailingLogs,
    MinQuorum: config.MinQuorum,
    ServerStabilizationTime: config.ServerStabilizationTime,
    RedundancyZoneTag: config.RedundancyZoneTag,
    DisableUpgradeMigration: config.DisableUpgradeMigration,
    UpgradeVersionTag: config.UpgradeVersionTag,
    CreateIndex: 0,
    ModifyIndex: 0,
  });
  return true;
}

function isSetConfig(value: unknown): value is SetAutopilotBody {
  if (!isObject(value) || !isObject(value.config)) return false;
  const { cas, ifAbsent, config } = value;
  if (cas !== undefined && !Number.isSafeInteger(cas)) return false;
  if (ifAbsent !== undefined && typeof ifAbsent !== 'boolean') return false;
  return (
    [config.CleanupDeadServers, config.DisableUpgradeMigration].every((flag) => typeof flag === 'boolean') &&
    [config.LastContactThreshold, config.ServerStabilizationTime].every(isDuration) &&
    [config.MaxTrailingLogs, config.MinQuorum].every(isCount) &&
    [config.RedundancyZoneTag, config.UpgradeVersionTag].every((text) => typeof text === 'string')
  );
}

function isDuration(value: unknown): boolean {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}
