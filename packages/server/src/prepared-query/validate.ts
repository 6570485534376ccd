import { validateNodeMeta } from '@lictor/mesh';
import { LictorError, parseDuration, type PreparedQueryDefinition, type PreparedQueryService } from '@lictor/protocol';
import { MAX_LIST_ITEMS, MAX_NAME_LENGTH, MAX_REGEXP_LENGTH, MAX_TEXT_LENGTH, MAX_TOTAL_LENGTH } from './limits.ts';
import { REDACTED_TOKEN } from './redacted-token.ts';
import { isPreparedQueryFields } from './shapes.ts';

/**
 * The rules that need no state. Those of names, sessions and templates are looked at when the query is written.
 * @throws LictorError `rejected` in Consul's words
 */
export function validateQuery(query: PreparedQueryDefinition): void {
  const problem = findProblem(query);
  if (problem !== undefined) throw new LictorError('rejected', `Invalid prepared query: ${problem}`);
}

function findProblem(query: PreparedQueryDefinition): string | undefined {
  if (query.Name === '' && query.Template.Type === '' && query.Session === '') return 'Must be bound to a session';
  // Otherwise who reads a query and writes it back would break it.
  if (query.Token === REDACTED_TOKEN) {
    return `Bad Token '${query.Token}', it looks like a query definition with a redacted token was submitted`;
  }
  return serviceProblem(query.Service) ?? ttlProblem(query.DNS.TTL) ?? sizeProblem(query);
}

function serviceProblem(service: PreparedQueryService): string | undefined {
  if (service.Service === '') return 'Must provide a Service name to query';
  const { NearestN: nearest, Datacenters: datacenters, Targets: targets } = service.Failover;
  if (nearest < 0) return `Bad NearestN '${nearest}', must be >= 0`;
  const hasTargets = targets !== null && targets.length > 0;
  if (hasTargets && (nearest !== 0 || (datacenters !== null && datacenters.length > 0))) {
    return 'Targets cannot be populated with NearestN or Datacenters';
  }
  const metaProblem = validateNodeMeta(service.NodeMeta, true);
  if (metaProblem !== undefined) return metaProblem;
  if (service.SamenessGroup !== '') return 'sameness-groups are an enterprise-only feature';
  const hasPeer = service.Peer !== '' || targets?.some((target) => target.Peer !== '') === true;
  return hasPeer ? 'cluster peering is not supported yet: Peer must be empty' : undefined;
}

function ttlProblem(ttl: string): string | undefined {
  if (ttl === '') return undefined;
  const ttlMs = parseDuration(ttl);
  if (ttlMs === undefined) return `Bad DNS TTL '${ttl}': ${goDurationError(ttl)}`;
  return ttlMs < 0 ? `DNS TTL '${Math.round(ttlMs * 1e6)}', must be >=0` : undefined;
}

/** As Go's ParseDuration words it. */
function goDurationError(text: string): string {
  const isNumber = /^[+-]?(\d+\.?\d*|\.\d+)$/.test(text);
  return `time: ${isNumber ? 'missing unit in' : 'invalid'} duration ${JSON.stringify(text)}`;
}

function sizeProblem(query: PreparedQueryDefinition): string | undefined {
  if (query.Name.length > MAX_NAME_LENGTH) return `Name is longer than ${MAX_NAME_LENGTH} characters`;
  if (query.Template.Regexp.length > MAX_REGEXP_LENGTH) return `Template.Regexp is longer than ${MAX_REGEXP_LENGTH} characters`;
  if (isPreparedQueryFields({ ...query, ID: 'any' })) return undefined;
  return `a list has more than ${MAX_LIST_ITEMS} items, a text more than ${MAX_TEXT_LENGTH} characters, or all together more than ${MAX_TOTAL_LENGTH}`;
}
