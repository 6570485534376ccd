/** Where the servers of a cluster live: their addresses, and what can be cut between them. */
export interface ClusterNetwork {
  /** Whether `cut` works here. */
  readonly canCut: boolean;
  placeOf(server: number): ServerPlace;
  /** Drops, silently, what `from` sends to `to`; the other direction goes on. */
  cut(from: number, to: number): void;
  /** Resets every connection between two servers, and each new one; undefined where only silence can be made. */
  sever?(one: number, other: number): void;
  /** Nobody reaches this one at the address that it advertises; what it begins itself goes on. Undefined as `sever`. */
  shut?(server: number): void;
  /** Of everything that was cut, severed or shut. */
  heal(): void;
  close(): void;
}

export interface ServerPlace {
  /** Where the server listens. */
  readonly host: string;
  /** Where the other servers reach it, when that is not `host`. */
  readonly advertisedHost?: string;
  readonly ports: ServerPorts;
  /** Goes before the command that starts the server, for example to enter its namespace. */
  readonly prefix: readonly string[];
  /** Told the process id of each start. */
  readonly onStart?: (pid: number) => void;
}

export const SERVER_PORTS = ['http', 'dns', 'grpc', 'server', 'serf-lan', 'serf-wan'] as const;
export type ServerPorts = Readonly<Record<(typeof SERVER_PORTS)[number], number>>;

/** With `ports`, where the other servers reach a server. */
export function advertisedHost({ host, advertisedHost }: ServerPlace): string {
  return advertisedHost ?? host;
}

/** Both directions between `server` and all the others. */
export function isolate(network: ClusterNetwork, server: number, servers: number): void {
  for (let other = 0; other < servers; other++) {
    if (other === server) continue;
    network.cut(server, other);
    network.cut(other, server);
  }
}
