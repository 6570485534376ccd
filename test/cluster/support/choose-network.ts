import { createLoopback } from './loopback.ts';
import { canUseNamespaces, createNamespaces } from './namespaces.ts';
import type { ClusterNetwork } from './network.ts';
import { canRelay, createRelay } from './relay.ts';

/**
 * The best that this machine and user can do: network namespaces as root, otherwise relays, otherwise nothing that can be cut.
 * `LICTOR_CLUSTER_RELAY=1`: relays even as root.
 */
export async function chooseNetwork(servers: number): Promise<ClusterNetwork> {
  const wantsRelay = process.env['LICTOR_CLUSTER_RELAY'] === '1';
  if (!wantsRelay && canUseNamespaces()) return createNamespaces(servers);
  return canRelay() ? createRelay(servers) : createLoopback(servers);
}
