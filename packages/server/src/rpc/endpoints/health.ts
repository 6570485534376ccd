import { type CheckServiceNode, type HealthCheck, LictorError, type Node } from '@lictor/protocol';
import { checksTable } from '../../state/tables/checks.ts';
import { foldName, keyPrefix } from '../../state/tables/keys.ts';
import { nodeKey, nodesTable } from '../../state/tables/nodes.ts';
import type { StateReader } from '../../state/types.ts';
import type { ReadContext, ReadEndpoint, ReadEndpoints } from '../types.ts';
import { mayReadCheck, visible } from './shared/acl.ts';
import { checkFilter, checkServiceNodeFilter } from './shared/filter.ts';
import { createCheckLookup } from './shared/instance-checks.ts';
import { findInstances } from './shared/instances.ts';
import { createCentralConfigMerge } from './shared/merge-central-config.ts';
import { sortByDistance } from './shared/near.ts';
import { hasNodeMeta, wantsNodeMeta } from './shared/node-meta.ts';

const nodeChecks: ReadEndpoint<'Health.NodeChecks'> = (reader, request, context) => {
  if (request.node === '') throw new LictorError('rejected', 'Must provide node');
  const matches = checkFilter(request.filter);
  const checks = [...reader.scan(checksTable, keyPrefix(request.node))];
  return visibleChecks(checks, context).filter(matches);
};

const serviceChecks: ReadEndpoint<'Health.ServiceChecks'> = (reader, request, context) => {
  if (request.service === '') throw new LictorError('rejected', 'Must provide service name');
  const checks = [...reader.find(checksTable, 'service', foldName(request.service))];
  return answerChecks(reader, checks, request, context);
};

/** `any` lists all; every other word is a state, also one that Consul does not know. */
const checksInState: ReadEndpoint<'Health.ChecksInState'> = (reader, request, context) => {
  const checks = request.state === 'any' ? reader.scan(checksTable) : reader.find(checksTable, 'state', foldName(request.state));
  return answerChecks(reader, [...checks], request, context);
};

const serviceNodes: ReadEndpoint<'Health.ServiceNodes'> = (reader, request, context) => {
  const matches = checkServiceNodeFilter(request.filter);
  const checksOf = createCheckLookup(reader);
  const merge = request.mergeCentralConfig === true ? createCentralConfigMerge(reader) : undefined;
  const answer: CheckServiceNode[] = [];
  for (const { node, service } of findInstances(reader, request, context)) {
    const checks = checksOf(node.Node, service.ID);
    if (request.passingOnly === true && checks.some((check) => check.Status !== 'passing')) continue;
    const instance = { Node: node, Service: merge === undefined ? service : merge(service), Checks: checks };
    if (matches(instance)) answer.push(instance);
  }
  return sortByDistance(reader, request.near, answer, ({ Node: node }) => node.Node);
};

export const healthReads = {
  'Health.NodeChecks': nodeChecks,
  'Health.ServiceChecks': serviceChecks,
  'Health.ChecksInState': checksInState,
  'Health.ServiceNodes': serviceNodes,
} satisfies ReadEndpoints;

interface CheckQuery {
  readonly nodeMeta?: Readonly<Record<string, string>>;
  readonly filter?: string;
  readonly near?: string;
}

function answerChecks(
  reader: StateReader,
  checks: readonly HealthCheck[],
  query: CheckQuery,
  context: ReadContext,
): readonly HealthCheck[] {
  const matches = checkFilter(query.filter);
  const { nodeMeta } = query;
  const onNodes = wantsNodeMeta(nodeMeta) ? checks.filter((check) => hasNodeMeta(nodeOf(reader, check), nodeMeta)) : checks;
  return sortByDistance(reader, query.near, visibleChecks(onNodes, context).filter(matches), (check) => check.Node);
}

function visibleChecks(checks: readonly HealthCheck[], context: ReadContext): readonly HealthCheck[] {
  return visible(context, checks, (check) => mayReadCheck(context.authorizer, check));
}

function nodeOf(reader: StateReader, check: HealthCheck): Node | undefined {
  return reader.get(nodesTable, nodeKey(check.Node));
}
