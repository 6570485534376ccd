import type { CaConfigurationRequest, Clock, Logger, Metrics, Random } from '@lictor/protocol';
import type { Applied } from '../consensus/port.ts';
import type { StateReader } from '../state/types.ts';

export interface ConnectCaConfig {
  readonly datacenter: string;
  /** The agent's `connect.ca_provider` and `ca_config`; null for the built-in provider with Consul's defaults. */
  readonly caConfig: CaConfigurationRequest | null;
}

export interface ConnectCaPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** The state as it is now. */
  reader(): StateReader;
  propose<Result>(type: string, body: unknown): Promise<Applied<Result>>;
}
