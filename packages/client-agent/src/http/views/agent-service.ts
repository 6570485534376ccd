import type { NodeService } from '@lictor/protocol';
import { agentProxyJson, nonEmpty, nonEmptyRecord } from './proxy.ts';

/** api.AgentService: an instance as the agent's own endpoints show it. */
export function agentServiceJson(service: NodeService, datacenter: string, contentHash?: string): object {
  return {
    Kind: service.Kind || undefined,
    ID: service.ID,
    Service: service.Service,
    Tags: service.Tags,
    Meta: service.Meta ?? {},
    Port: service.Port,
    Ports: nonEmpty(service.Ports),
    Address: service.Address,
    SocketPath: service.SocketPath || undefined,
    TaggedAddresses: nonEmptyRecord(service.TaggedAddresses),
    Weights: { Passing: service.Weights.Passing > 0 ? service.Weights.Passing : 1, Warning: service.Weights.Warning },
    EnableTagOverride: service.EnableTagOverride,
    ContentHash: contentHash,
    Proxy: service.Kind === '' ? undefined : agentProxyJson(service.Proxy),
    Connect: service.Connect.Native ? { Native: true } : undefined,
    PeerName: service.PeerName || undefined,
    Datacenter: datacenter,
    Locality: service.Locality,
    AI: service.AI,
  };
}
