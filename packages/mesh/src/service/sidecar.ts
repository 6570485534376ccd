import {
  type CheckDefinition,
  checkDefinition,
  decode,
  joinHostPort,
  LictorError,
  type NodeService,
  type ServiceDefinition,
} from '@lictor/protocol';
import { joinProblems } from '../problems.ts';
import { validateServiceMeta } from './metadata.ts';
import { collectChecks, normaliseService, type NormalisedService } from './normalise.ts';
import { findAgentServiceProblems } from './validate.ts';

export const SIDECAR_SUFFIX = '-sidecar-proxy';
/** Ports that agents give to sidecars by default, both included (consul-facts 4.2). */
export const SIDECAR_MIN_PORT = 21_000;
export const SIDECAR_MAX_PORT = 21_255;
const LISTEN_CHECK_INTERVAL_MS = 10_000;

export function sidecarId(serviceId: string): string {
  return `${serviceId}${SIDECAR_SUFFIX}`;
}

/**
 * The proxy instance of a definition with `connect { sidecar_service {} }`, or undefined without one. `allocatedPort` is used when the user
 * gave none; `auto` leaves the port 0 and the listening check out, for callers that allocate afterwards.
 * @throws LictorError `invalid-argument`
 */
export function expandSidecar(parent: ServiceDefinition, allocatedPort: number | 'auto'): NormalisedService | undefined {
  const definition = parent.Connect?.SidecarService;
  if (definition === undefined) return undefined;
  const { service: owner } = normaliseService(parent);
  const meta = validateServiceMeta(definition.Kind, definition.Meta);
  if (meta !== undefined) throw new LictorError('invalid-argument', `Invalid SidecarService: ${meta}`);
  const service = inheritFrom(owner, normaliseService(definition).service);
  const problems = findAgentServiceProblems(service);
  if (problems.length > 0) throw new LictorError('invalid-argument', `Failed Validation: ${joinProblems(problems)}`);
  const needsPort = service.Port === 0 && service.SocketPath === '';
  const port = needsPort && allocatedPort !== 'auto' ? allocatedPort : service.Port;
  const placed = { ...service, Port: port };
  const own = collectChecks(definition);
  return { service: placed, checks: own.length > 0 ? own : defaultChecks(owner, placed) };
}

/**
 * The port that a sidecar had, or else the lowest free one.
 * @throws LictorError `rejected` when the range is used up or off (`minPort` < 1)
 */
export function allocateSidecarPort(
  used: Iterable<number>,
  previous: number | undefined,
  range = { minPort: SIDECAR_MIN_PORT, maxPort: SIDECAR_MAX_PORT },
): number {
  const { minPort, maxPort } = range;
  if (minPort < 1 || maxPort < 1)
    throw new LictorError('rejected', 'no port provided for sidecar_service and auto-assignment disabled in config');
  if (previous !== undefined && previous >= minPort && previous <= maxPort) return previous;
  const taken = new Set(used);
  for (let port = minPort; port <= maxPort; port += 1) if (!taken.has(port)) return port;
  throw new LictorError('rejected', `no port provided for sidecar_service and none left in the configured range [${minPort}, ${maxPort}]`);
}

/** Fills what the sidecar's definition leaves open from its parent (consul-facts K021). */
function inheritFrom(owner: NodeService, sidecar: NodeService): NodeService {
  const hasMeta = Object.keys(sidecar.Meta ?? {}).length > 0;
  return {
    ...sidecar,
    Kind: sidecar.Kind === '' ? 'connect-proxy' : sidecar.Kind,
    ID: sidecarId(owner.ID),
    Service: sidecar.Service === '' ? `${owner.Service}${SIDECAR_SUFFIX}` : sidecar.Service,
    Tags: sidecar.Tags.length > 0 ? sidecar.Tags : owner.Tags,
    Meta: hasMeta ? sidecar.Meta : owner.Meta,
    Address: sidecar.Address === '' ? owner.Address : sidecar.Address,
    ...(sidecar.Locality === undefined && owner.Locality !== undefined && { Locality: owner.Locality }),
    Proxy: { ...sidecar.Proxy, ...destinationOf(owner, sidecar) },
    LocallyRegisteredAsSidecar: true,
  };
}

function destinationOf(owner: NodeService, sidecar: NodeService): Partial<NodeService['Proxy']> {
  const { Proxy: proxy } = sidecar;
  const destination = {
    DestinationServiceName: proxy.DestinationServiceName === '' ? owner.Service : proxy.DestinationServiceName,
    DestinationServiceID: proxy.DestinationServiceID === '' ? owner.ID : proxy.DestinationServiceID,
    ...(proxy.LocalServicePorts === undefined && owner.Ports !== undefined && { LocalServicePorts: [...owner.Ports] }),
  };
  const isComplete = proxy.LocalServiceSocketPath !== '' || (proxy.LocalServiceAddress !== '' && proxy.LocalServicePort >= 1);
  if (isComplete) return destination;
  if (owner.SocketPath !== '') return { ...destination, LocalServiceSocketPath: owner.SocketPath };
  return {
    ...destination,
    LocalServiceAddress: proxy.LocalServiceAddress === '' ? '127.0.0.1' : proxy.LocalServiceAddress,
    LocalServicePort: proxy.LocalServicePort < 1 ? owner.Port : proxy.LocalServicePort,
  };
}

function defaultChecks(owner: NodeService, sidecar: NodeService): CheckDefinition[] {
  const alias = decode(checkDefinition, { Name: `Connect Sidecar Aliasing ${owner.ID}`, AliasService: owner.ID });
  if (sidecar.Port === 0) return [alias];
  const host = sidecar.Address === '' ? sidecar.Proxy.LocalServiceAddress : sidecar.Address;
  const listening = decode(checkDefinition, { Name: 'Connect Sidecar Listening', TCP: joinHostPort(host, sidecar.Port) });
  return [{ ...listening, Interval: LISTEN_CHECK_INTERVAL_MS }, alias];
}
