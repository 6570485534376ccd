import type { CheckServiceNode } from '@lictor/protocol';
import type { Instance } from '../balancer/balancer.ts';

/**
 * What discovery answers, as places to connect to. An instance without its own address is at its node's.
 * @param service whose identity all of them must have; undefined: each its own, as a prepared query may find any service
 */
export function instancesOf(entries: readonly CheckServiceNode[], service: string | undefined): Instance[] {
  return entries.flatMap(({ Node, Service, Checks }) => {
    const port = Service.Port;
    const identity = service ?? meshServiceOf(Service);
    if (port < 1 || port > 65_535 || identity === '') return [];
    const warning = Checks.some((check) => check.Status === 'warning');
    const weight = warning ? Service.Weights.Warning : Service.Weights.Passing;
    return [
      {
        id: `${Node.Node}/${Service.ID}`,
        host: Service.Address || Node.Address,
        port,
        datacenter: Node.Datacenter,
        service: identity,
        weight: Math.max(1, weight),
      },
    ];
  });
}

/** Empty for what stands for no single service: gateways, and whatever is not in the mesh. */
function meshServiceOf({ Kind: kind, Service: name, Proxy: proxy, Connect: connect }: Partial<CheckServiceNode['Service']>): string {
  if (connect?.Native === true) return name ?? '';
  return kind === 'connect-proxy' ? (proxy?.DestinationServiceName ?? '') : '';
}
