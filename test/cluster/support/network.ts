/** Where the servers of a cluster live: their addresses, and what can be cut between them. */
export interface ClusterNetwork {
  /** Whether `cut` works here. */
  readonly canCut: boolean;
  placeOf(server: number): ServerPlace;
  /** Drops, silently, what `from` sends to `to`; the other direction goes on. */
  cut(from: number, to: number): void;
  heal(): void;
  close(): void;
}

export interface ServerPlace {
  readonly host: string;
  readonly ports: ServerPorts;
  /** Goes before the command that starts the server, for example to enter its namespace. */
  readonly prefix: readonly string[];
}

export const SERVER_PORTS = ['http', 'dns', 'grpc', 'server', 'serf-lan', 'serf-wan'] as const;
export type ServerPorts = Readonly<Record<(typeof SERVER_PORTS)[number], number>>;

/** Both directions between `server` and all the others. */
export function isolate(network: ClusterNetwork, server: number, servers: number): void {
  for (let other = 0; other < servers; other++) {
    if (other === server) continue;
    network.cut(server, other);
    network.cut(other, server);
  }
}
