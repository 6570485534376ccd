import { apiPath, type HttpClient } from '../http.ts';
import type { QueryOptions, WriteOptions } from '../query.ts';

export interface RaftServer {
  readonly ID: string;
  readonly Node: string;
  readonly Address: string;
  readonly Leader: boolean;
  readonly ProtocolVersion: string;
  readonly Voter: boolean;
  readonly LastIndex: number;
}

export interface RaftConfiguration {
  readonly Servers: readonly RaftServer[];
  readonly Index: number;
}

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

/** /v1/operator, as far as one server goes. */
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

  /** An unhealthy cluster is a 429 whose body is the same; it is read, not thrown. */
  async autopilotHealth(options: QueryOptions = {}): Promise<AutopilotHealth> {
    const response = await this.#http.stream('GET', apiPath('operator', 'autopilot', 'health'), options);
    const body = response.status === 429 ? response.body : await this.#http.expectOk(response);
    return JSON.parse((await body.toArray()).join('')) as AutopilotHealth;
  }
}
