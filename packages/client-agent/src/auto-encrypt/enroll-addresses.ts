import { plainAddresses } from '../membership/plain-addresses.ts';
import { joinHostPort, parseHostPortOr } from '@lictor/protocol';

export interface EnrollAddressesOptions {
  /** `retry_join`: `host[:port]`, where the port is one of gossip. */
  readonly join: readonly string[];
  /** Of this agent, `ports.server`: servers are taken to have the same. */
  readonly serverPort: number;
  /** All addresses of a name. */
  readonly resolve: (host: string) => Promise<readonly string[]>;
}

const MAX_ADDRESSES = 64;

/** Servers to ask for a certificate while gossip knows none: those of `retry_join`, as Consul does. Names that do not resolve are left out. */
export async function enrollAddresses({ join, serverPort, resolve }: EnrollAddressesOptions): Promise<readonly string[]> {
  const hosts = [...new Set(plainAddresses(join).map((address) => parseHostPortOr(address, 0).host))].slice(0, MAX_ADDRESSES);
  const resolved = await Promise.all(hosts.map((host) => resolve(host).catch(() => [])));
  return [...new Set(resolved.flat())].slice(0, MAX_ADDRESSES).map((host) => joinHostPort(host, serverPort));
}
