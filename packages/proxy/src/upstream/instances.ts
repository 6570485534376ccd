import type { CheckServiceNode } from '@lictor/protocol';
import type { Instance } from '../balancer/balancer.ts';

/** What the health endpoint answers, as places to connect to. An instance without its own address is at its node's. */
export function instancesOf(entries: readonly CheckServiceNode[]): Instance[] {
  return entries.flatMap(({ Node, Service, Checks }) => {
    const port = Service.Port;
    if (port < 1 || port > 65_535) return [];
    const warning = Checks.some((check) => check.Status === 'warning');
    const weight = warning ? Service.Weights.Warning : Service.Weights.Passing;
    return [
      {
        id: `${Node.Node}/${Service.ID}`,
        host: Service.Address || Node.Address,
        port,
        datacenter: Node.Datacenter,
        weight: Math.max(1, weight),
      },
    ];
  });
}
