import type { PreparedQueryService } from '@lictor/protocol';

/**
 * A copy with every text put through `change`, which is told the text's path in Consul's notation (`.Failover.Datacenters[0]`,
 * `.NodeMeta[env]`).
 */
export function mapTexts(service: PreparedQueryService, change: (path: string, text: string) => string): PreparedQueryService {
  const list = (path: string, texts: readonly string[] | null): string[] | null =>
    texts === null ? null : texts.map((text, position) => change(`${path}[${position}]`, text));
  const map = (path: string, texts: Readonly<Record<string, string>> | null): Record<string, string> | null => {
    if (texts === null) return null;
    const changed = Object.create(null) as Record<string, string>;
    for (const key of Object.keys(texts)) changed[key] = change(`${path}[${key}]`, texts[key] ?? '');
    return changed;
  };
  const { Failover: failover } = service;
  return {
    Service: change('.Service', service.Service),
    SamenessGroup: change('.SamenessGroup', service.SamenessGroup),
    Failover: {
      NearestN: failover.NearestN,
      Datacenters: list('.Failover.Datacenters', failover.Datacenters),
      Targets:
        failover.Targets?.map(({ Peer: peer, Datacenter: datacenter }, position) => ({
          Peer: change(`.Failover.Targets[${position}].Peer`, peer),
          Datacenter: change(`.Failover.Targets[${position}].Datacenter`, datacenter),
        })) ?? null,
    },
    OnlyPassing: service.OnlyPassing,
    IgnoreCheckIDs: list('.IgnoreCheckIDs', service.IgnoreCheckIDs),
    Near: change('.Near', service.Near),
    Tags: list('.Tags', service.Tags),
    NodeMeta: map('.NodeMeta', service.NodeMeta),
    ServiceMeta: map('.ServiceMeta', service.ServiceMeta),
    Connect: service.Connect,
    Peer: change('.Peer', service.Peer),
  };
}
