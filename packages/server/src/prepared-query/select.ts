import type { CheckServiceNode, HealthCheck, PreparedQuery, PreparedQueryService } from '@lictor/protocol';
import { createCheckLookup } from '../rpc/endpoints/shared/instance-checks.ts';
import { findInstances } from '../rpc/endpoints/shared/instances.ts';
import type { ReadContext } from '../rpc/types.ts';
import type { StateReader } from '../state/types.ts';

/** The instances in this datacenter that the query asks for and that its caller may see. */
export function selectInstances(reader: StateReader, query: PreparedQuery, connect: boolean, context: ReadContext): CheckServiceNode[] {
  const { Service: service } = query;
  // A template's texts can come out empty; instances of peers are not in this state.
  if (service.Service === '' || service.Peer !== '') return [];
  const nodeMeta = service.NodeMeta ?? {};
  const found = findInstances(reader, { service: service.Service, connect: connect || service.Connect, nodeMeta }, context);
  const checksOf = createCheckLookup(reader);
  const isTagged = tagFilter(service.Tags ?? []);
  const selected: CheckServiceNode[] = [];
  for (const { node, service: instance } of found) {
    if (!isTagged(instance.Tags) || !hasServiceMeta(instance.Meta, service.ServiceMeta)) continue;
    const checks = checksOf(node.Node, instance.ID);
    if (isHealthy(checks, service)) selected.push({ Node: node, Service: instance, Checks: checks });
  }
  return selected;
}

function isHealthy(checks: readonly HealthCheck[], { OnlyPassing: onlyPassing, IgnoreCheckIDs: ignored }: PreparedQueryService): boolean {
  return checks.every(
    ({ CheckID: id, Status: status }) => ignored?.includes(id) === true || status === 'passing' || (!onlyPassing && status !== 'critical'),
  );
}

/** Without regard to case. */
function tagFilter(wanted: readonly string[]): (tags: readonly string[]) => boolean {
  const folded = wanted.map((tag) => tag.toLowerCase());
  const must = folded.filter((tag) => !tag.startsWith('!'));
  const mustNot = folded.filter((tag) => tag.startsWith('!')).map((tag) => tag.slice(1));
  if (folded.length === 0) return () => true;
  return (tags) => {
    const own = new Set(tags.map((tag) => tag.toLowerCase()));
    return must.every((tag) => own.has(tag)) && !mustNot.some((tag) => own.has(tag));
  };
}

function hasServiceMeta(meta: Readonly<Record<string, string>> | null, wanted: Readonly<Record<string, string>> | null): boolean {
  return Object.entries(wanted ?? {}).every(([key, value]) => meta !== null && Object.hasOwn(meta, key) && meta[key] === value);
}
