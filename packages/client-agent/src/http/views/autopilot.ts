import { type AutopilotConfiguration, type AutopilotServer, type AutopilotState, formatDuration } from '@lictor/protocol';

export function autopilotConfigurationJson(config: AutopilotConfiguration): object {
  return {
    CleanupDeadServers: config.CleanupDeadServers,
    LastContactThreshold: formatDuration(config.LastContactThreshold),
    MaxTrailingLogs: config.MaxTrailingLogs,
    MinQuorum: config.MinQuorum,
    ServerStabilizationTime: formatDuration(config.ServerStabilizationTime),
    RedundancyZoneTag: config.RedundancyZoneTag,
    DisableUpgradeMigration: config.DisableUpgradeMigration,
    UpgradeVersionTag: config.UpgradeVersionTag,
    CreateIndex: config.CreateIndex,
    ModifyIndex: config.ModifyIndex,
  };
}

/** /v1/operator/autopilot/health: an older view of the same, in whole seconds. */
export function autopilotHealthJson({ Healthy, FailureTolerance, Servers }: AutopilotState): object {
  return {
    Healthy,
    FailureTolerance,
    Servers: sorted(Servers).map((server) => ({
      ID: server.ID,
      Name: server.Name,
      Address: server.Address,
      SerfStatus: server.NodeStatus === 'unknown' ? 'none' : server.NodeStatus,
      Version: server.Version,
      Leader: server.Status === 'leader',
      LastContact: lastContact(server),
      LastTerm: server.LastTerm,
      LastIndex: server.LastIndex,
      Healthy: server.Healthy,
      Voter: server.Status === 'leader' || server.Status === 'voter',
      StableSince: rfc3339(Math.round(server.StableSince / 1000) * 1000),
    })),
  };
}

export function autopilotStateJson({
  Healthy,
  FailureTolerance,
  OptimisticFailureTolerance,
  Servers,
  Leader,
  Voters,
}: AutopilotState): object {
  const servers = sorted(Servers).map((server) => [server.ID, serverJson(server)] as const);
  return { Healthy, FailureTolerance, OptimisticFailureTolerance, Servers: Object.fromEntries(servers), Leader, Voters };
}

function serverJson(server: AutopilotServer): object {
  return {
    ID: server.ID,
    Name: server.Name,
    Address: server.Address,
    NodeStatus: server.NodeStatus,
    Version: server.Version,
    LastContact: lastContact(server),
    LastTerm: server.LastTerm,
    LastIndex: server.LastIndex,
    Healthy: server.Healthy,
    StableSince: rfc3339(server.StableSince),
    ReadReplica: false,
    Status: server.Status,
    Meta: server.Meta,
    NodeType: 'voter',
  };
}

function sorted(servers: AutopilotState['Servers']): readonly AutopilotServer[] {
  return Object.values(servers).sort((left, right) => (left.ID < right.ID ? -1 : 1));
}

/** Go's -1 for never. */
function lastContact({ LastContact }: AutopilotServer): string {
  return LastContact < 0 ? '-1ns' : formatDuration(LastContact);
}

/** As Go writes it: no fraction that says nothing. */
function rfc3339(timeMs: number): string {
  return new Date(timeMs).toISOString().replace(/\.?0*Z$/, 'Z');
}
