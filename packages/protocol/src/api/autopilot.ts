import { boolean, duration, type Infer, integer, object, optional, string } from '../schema/index.ts';
import type { RaftIndex } from './common.ts';

/** How the leader looks after the group of servers (consul-facts K063). */
export interface AutopilotFields {
  /** Take servers out of Raft that have failed, as long as enough are left. */
  readonly CleanupDeadServers: boolean;
  /** ms without the leader after which a server is unhealthy. */
  readonly LastContactThreshold: number;
  /** Entries behind the leader after which a server is unhealthy. */
  readonly MaxTrailingLogs: number;
  /** Cleaning up leaves at least so many voters. */
  readonly MinQuorum: number;
  /** ms of health before a new server votes. */
  readonly ServerStabilizationTime: number;
  /** Of Consul Enterprise, as the next two: kept and shown, without effect. */
  readonly RedundancyZoneTag: string;
  readonly DisableUpgradeMigration: boolean;
  readonly UpgradeVersionTag: string;
}

export interface AutopilotConfiguration extends AutopilotFields, RaftIndex {}

/** Consul's defaults (consul-facts K063, T018). */
export const DEFAULT_AUTOPILOT: AutopilotFields = {
  CleanupDeadServers: true,
  LastContactThreshold: 200,
  MaxTrailingLogs: 250,
  MinQuorum: 0,
  ServerStabilizationTime: 10_000,
  RedundancyZoneTag: '',
  DisableUpgradeMigration: false,
  UpgradeVersionTag: '',
};

/** Body of PUT /v1/operator/autopilot/configuration; what is not given gets its default. */
export const autopilotConfigurationRequest = object({
  CleanupDeadServers: optional(boolean()),
  LastContactThreshold: optional(duration()),
  MaxTrailingLogs: optional(integer(0)),
  MinQuorum: optional(integer(0)),
  ServerStabilizationTime: optional(duration()),
  RedundancyZoneTag: optional(string()),
  DisableUpgradeMigration: optional(boolean()),
  UpgradeVersionTag: optional(string()),
});
export type AutopilotConfigurationRequest = Infer<typeof autopilotConfigurationRequest>;

/** How a server stands, as it says itself. */
export interface RaftStats {
  /** Of the server that answers: another may have taken the address of the one that was meant. */
  readonly id: string;
  readonly state: 'Leader' | 'Follower' | 'Candidate' | 'Shutdown';
  readonly term: number;
  readonly lastLogIndex: number;
  readonly lastLogTerm: number;
  readonly commitIndex: number;
  readonly appliedIndex: number;
  readonly lastSnapshotIndex: number;
  readonly lastSnapshotTerm: number;
  /** Since the leader was heard; 0 on the leader, undefined: never. */
  readonly lastContactMs: number | undefined;
  readonly numPeers: number;
}

export interface AutopilotServer {
  readonly ID: string;
  readonly Name: string;
  /** `ip:port` of its RPC. */
  readonly Address: string;
  /** `unknown`: Raft has it, and nobody knows it. */
  readonly NodeStatus: 'alive' | 'failed' | 'left' | 'unknown';
  readonly Version: string;
  /** ms; negative: it has never heard the leader, or does not answer. */
  readonly LastContact: number;
  readonly LastTerm: number;
  readonly LastIndex: number;
  readonly Healthy: boolean;
  /** ms since the epoch: when `Healthy` changed last. */
  readonly StableSince: number;
  /** `none`: not in Raft yet. */
  readonly Status: 'leader' | 'voter' | 'non-voter' | 'none';
  readonly Meta: Readonly<Record<string, string>> | null;
}

/** The group of servers in autopilot's eyes. `Server`: in the API's answers times are texts. */
export interface AutopilotState<Server = AutopilotServer> {
  readonly Healthy: boolean;
  /** Healthy voters that can be lost before the cluster stops. */
  readonly FailureTolerance: number;
  /** As many as can be lost in a good order; redundancy zones, which make the difference, are Consul Enterprise's. */
  readonly OptimisticFailureTolerance: number;
  /** By id. */
  readonly Servers: Readonly<Record<string, Server>>;
  /** An id; empty without one. */
  readonly Leader: string;
  readonly Voters: readonly string[];
}
