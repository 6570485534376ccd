import type { AutopilotState as GroupState, RaftConfiguration, Secret } from '@lictor/protocol';
import { apiPath, type HttpClient } from '../http.ts';
import type { QueryOptions, WriteOptions } from '../query.ts';

export type { RaftConfiguration } from '@lictor/protocol';

export type RaftServer = RaftConfiguration['Servers'][number];

export interface ServerHealth {
  readonly ID: string;
  readonly Name: string;
  readonly Address: string;
  readonly SerfStatus: string;
  readonly Version: string;
  readonly Leader: boolean;
  /** A Go duration. */
  readonly LastContact: string;
  readonly LastTerm: number;
  readonly LastIndex: number;
  readonly Healthy: boolean;
  readonly Voter: boolean;
  /** RFC 3339. */
  readonly StableSince: string;
}

export interface AutopilotHealth {
  readonly Healthy: boolean;
  readonly FailureTolerance: number;
  readonly Servers: readonly ServerHealth[];
}

/** Durations as in Go: `10s`. */
export interface AutopilotConfiguration {
  readonly CleanupDeadServers: boolean;
  readonly LastContactThreshold: string;
  readonly MaxTrailingLogs: number;
  readonly MinQuorum: number;
  readonly ServerStabilizationTime: string;
  readonly RedundancyZoneTag: string;
  readonly DisableUpgradeMigration: boolean;
  readonly UpgradeVersionTag: string;
  readonly CreateIndex: number;
  readonly ModifyIndex: number;
}

export interface AutopilotServer {
  readonly ID: string;
  readonly Name: string;
  readonly Address: string;
  readonly NodeStatus: string;
  readonly Version: string;
  /** A Go duration. */
  readonly LastContact: string;
  readonly LastTerm: number;
  readonly LastIndex: number;
  readonly Healthy: boolean;
  /** RFC 3339. */
  readonly StableSince: string;
  /** Of Consul Enterprise, as `UpgradeVersion`. */
  readonly RedundancyZone?: string;
  readonly UpgradeVersion?: string;
  readonly ReadReplica: boolean;
  /** `leader`, `voter`, `non-voter`, `staging` or `none`. */
  readonly Status: string;
  readonly Meta: Readonly<Record<string, string>> | null;
  readonly NodeType: string;
}

export interface AutopilotState extends Omit<GroupState<AutopilotServer>, 'Voters'> {
  /** Null for none, as Go writes it. */
  readonly Voters: readonly string[] | null;
}

/** The gossip keys of one pool. */
export interface KeyringPool {
  readonly WAN: boolean;
  readonly Datacenter: string;
  readonly Segment: string;
  /** What members had to say, by name. */
  readonly Messages?: Readonly<Record<string, string>>;
  /** Keys, base64, with the number of members that have them installed… */
  readonly Keys: Readonly<Record<string, number>> | null;
  /** …and that send with them. */
  readonly PrimaryKeys: Readonly<Record<string, number>> | null;
  readonly NumNodes: number;
}

export interface KeyringOptions extends WriteOptions {
  /** Members through which each answer goes besides, 0 to 5: for networks that lose much. */
  readonly relayFactor?: number;
}

/** /v1/operator */
export class OperatorApi {
  readonly #http: HttpClient;

  constructor(http: HttpClient) {
    this.#http = http;
  }

  async raftConfiguration(options: QueryOptions = {}): Promise<RaftConfiguration> {
    return (await this.#http.query<RaftConfiguration>(apiPath('operator', 'raft', 'configuration'), options)).value;
  }

  async removeRaftPeer(peer: { readonly id: string } | { readonly address: string }, options: WriteOptions = {}): Promise<void> {
    await this.#http.text('DELETE', apiPath('operator', 'raft', 'peer'), { ...options, parameters: { ...peer } });
  }

  async transferLeader(id = '', options: WriteOptions = {}): Promise<boolean> {
    const path = apiPath('operator', 'raft', 'transfer-leader');
    return (
      await this.#http.write<{ readonly Success: boolean }>('POST', path, undefined, { ...options, parameters: { id: id || undefined } })
    ).Success;
  }

  /** The keys of all pools; with `localOnly` of this datacenter's LAN pool alone. An answer that a member owes is an ApiError. */
  async keyring({
    relayFactor,
    localOnly,
    ...options
  }: KeyringOptions & { readonly localOnly?: boolean } = {}): Promise<readonly KeyringPool[]> {
    const parameters = { 'relay-factor': relayFactor || undefined, 'local-only': localOnly || undefined };
    return (await this.#http.list<KeyringPool>(KEYRING, { ...options, parameters })).value;
  }

  /** Gives a key, base64, to all members; they send with another one still. */
  installKey(key: Secret, options: KeyringOptions = {}): Promise<void> {
    return this.#changeKeys('POST', key, options);
  }

  /** Has all members send with a key that is installed. */
  useKey(key: Secret, options: KeyringOptions = {}): Promise<void> {
    return this.#changeKeys('PUT', key, options);
  }

  /** Has all members forget a key that nobody sends with. */
  removeKey(key: Secret, options: KeyringOptions = {}): Promise<void> {
    return this.#changeKeys('DELETE', key, options);
  }

  #changeKeys(method: 'POST' | 'PUT' | 'DELETE', key: Secret, { relayFactor, ...options }: KeyringOptions): Promise<void> {
    return this.#http.write(
      method,
      KEYRING,
      { Key: key.reveal() },
      { ...options, parameters: { 'relay-factor': relayFactor || undefined } },
    );
  }

  /** An unhealthy cluster is a 429 whose body is the same; it is read, not thrown. */
  async autopilotHealth(options: QueryOptions = {}): Promise<AutopilotHealth> {
    const response = await this.#http.stream('GET', apiPath('operator', 'autopilot', 'health'), options);
    const body = response.status === 429 ? response.body : await this.#http.expectOk(response);
    return JSON.parse((await body.toArray()).join('')) as AutopilotHealth;
  }

  async autopilotState(options: QueryOptions = {}): Promise<AutopilotState> {
    return (await this.#http.query<AutopilotState>(apiPath('operator', 'autopilot', 'state'), options)).value;
  }

  async autopilotConfiguration(options: QueryOptions = {}): Promise<AutopilotConfiguration> {
    return (await this.#http.query<AutopilotConfiguration>(AUTOPILOT_CONFIGURATION, options)).value;
  }

  /**
   * Replaces the configuration: what is left out gets its default. With `cas`, the ModifyIndex of what was read, only while nobody else
   * has changed it; false: somebody has.
   */
  setAutopilotConfiguration(
    configuration: Partial<AutopilotConfiguration>,
    options: WriteOptions & { readonly cas?: number } = {},
  ): Promise<boolean> {
    return this.#http.write('PUT', AUTOPILOT_CONFIGURATION, configuration, { ...options, parameters: { cas: options.cas } });
  }
}

const KEYRING = apiPath('operator', 'keyring');
const AUTOPILOT_CONFIGURATION = apiPath('operator', 'autopilot', 'configuration');
