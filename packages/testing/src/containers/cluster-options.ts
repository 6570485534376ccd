export interface ClusterOptions {
  /** 1, 3 or 5 servers. Default 3. */
  readonly servers?: number;
  /** Client agents. Default 0. */
  readonly clients?: number;
  /** Default: `LICTOR_IMAGE`, or `lictor:dev`. */
  readonly image?: string;
  readonly datacenter?: string;
  /** Mutual TLS between the agents. Gossip is encrypted always. Default true. */
  readonly tls?: boolean;
  /** Laid over every agent's configuration. */
  readonly config?: Readonly<Record<string, unknown>>;
}

export type CompleteClusterOptions = Required<Omit<ClusterOptions, 'image'>> & Pick<ClusterOptions, 'image'>;

const MAX_SERVERS = 7;
const MAX_CLIENTS = 100;

/** @throws RangeError for numbers that make no cluster */
export function completeOptions(options: ClusterOptions): CompleteClusterOptions {
  const { servers = 3, clients = 0, datacenter = 'dc1', tls = true, config = {}, image } = options;
  requireCount('servers', servers, 1, MAX_SERVERS);
  requireCount('clients', clients, 0, MAX_CLIENTS);
  return { servers, clients, datacenter, tls, config, ...(image !== undefined && { image }) };
}

function requireCount(name: string, count: number, least: number, most: number): void {
  if (!Number.isInteger(count) || count < least || count > most)
    throw new RangeError(`${name} must be a whole number from ${least} to ${most}, not ${count}`);
}
