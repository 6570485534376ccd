import type { Authorizer } from '@lictor/mesh';
import type { Clock, Logger, Metrics, Random, Secret, ServerPort } from '@lictor/protocol';
import type {
  AgentCache,
  AgentLifecycle,
  LocalChecks,
  LocalServices,
  LogStream,
  Membership,
  MetricsView,
  RuntimeConfig,
  UserEvents,
} from '../contracts/index.ts';

export interface BuildInfo {
  /** `1.21.0`: what clients compare. */
  readonly version: string;
  readonly prerelease: string;
  readonly revision: string;
  /** RFC 3339. */
  readonly buildDate: string;
}

/** Names of the agent's own tokens, as PUT /v1/agent/token/:type sets them. */
export type AgentTokenKind = keyof RuntimeConfig['tokens'];

export interface AgentTokens {
  get(kind: AgentTokenKind): Secret;
  /** Persists it when the configuration says so, and asks for a sync when it is one that syncs. */
  set(kind: AgentTokenKind, token: Secret): Promise<void>;
}

/** Counters that only the parts of the process know: `agent`, `consul`, `raft`, `serf_lan`, ... as GET /v1/agent/self shows them. */
export type AgentStats = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** What HTTPS shows where the configuration names no certificate: the one that the agent gets from the servers. */
export interface HttpsIdentity {
  current(): { readonly certPem: string; readonly keyPem: Secret; readonly caPems: readonly string[] };
  /** Called when there is another; returns the unsubscriber. */
  onChange(listener: () => void): () => void;
}

/** What the HTTP API stands on. */
export interface ApiDeps {
  /** The configuration in force; changes at reload. */
  config(): RuntimeConfig;
  readonly build: BuildInfo;
  readonly server: ServerPort;
  readonly cache: AgentCache;
  readonly services: LocalServices;
  readonly checks: LocalChecks;
  readonly membership: Membership;
  readonly events: UserEvents;
  readonly lifecycle: AgentLifecycle;
  readonly tokens: AgentTokens;
  readonly logs: LogStream;
  readonly metricsView: MetricsView;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly random: Random;
  /** Absent: HTTPS has the certificate of the configuration, or none. */
  readonly httpsIdentity?: HttpsIdentity;
  stats(): AgentStats;
  /** Resolves when local changes are in the catalog, or could not be written for now. Answers to registrations wait for it. */
  synced(): Promise<void>;
  /** Absent: ACLs are off, or, when the configuration has them on, everything that needs a rule is denied. */
  authorizer?(token: Secret): Promise<Authorizer>;
}
