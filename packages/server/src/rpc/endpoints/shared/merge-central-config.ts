import { mergeServiceConfig, type ResolveInput, resolveServiceConfig, upstreamKey } from '@lictor/mesh';
import type { NodeService, ResolvedServiceConfig } from '@lictor/protocol';
import { readConfigEntry } from '../../../fsm/config-entries/write.ts';
import type { StateReader } from '../../../state/types.ts';

const GATEWAY_KINDS: ReadonlySet<string> = new Set(['mesh-gateway', 'terminating-gateway', 'ingress-gateway', 'api-gateway']);

/** The central configuration of a service as its entries are now (consul-facts E020). */
export function resolveConfigOf(reader: StateReader, service: string, upstreams: readonly string[]): ResolvedServiceConfig {
  return resolveServiceConfig({ service, upstreams, ...entriesOf(reader) });
}

/** Puts central configuration below proxies and gateways (consul-facts E023); other instances stay as they are. */
export function createCentralConfigMerge(reader: StateReader): (service: NodeService) => NodeService {
  const entries = entriesOf(reader);
  return (service) => {
    const isProxy = service.Kind === 'connect-proxy';
    if (!isProxy && !GATEWAY_KINDS.has(service.Kind)) return service;
    const { Proxy: proxy } = service;
    const upstreams = proxy.Upstreams.filter((upstream) => upstream.DestinationType === '' || upstream.DestinationType === 'service');
    const resolved = resolveServiceConfig({
      service: isProxy ? proxy.DestinationServiceName : service.Service,
      upstreams: upstreams.map((upstream) => upstreamKey(upstream.DestinationName, upstream.DestinationPeer)),
      mode: proxy.Mode,
      meshGateway: proxy.MeshGateway,
      ...entries,
    });
    return mergeServiceConfig(service, resolved);
  };
}

function entriesOf(reader: StateReader): Pick<ResolveInput, 'proxyDefaults' | 'serviceDefaults'> {
  return {
    proxyDefaults: readConfigEntry(reader, 'proxy-defaults', 'global') ?? null,
    serviceDefaults: (name) => readConfigEntry(reader, 'service-defaults', name) ?? null,
  };
}
