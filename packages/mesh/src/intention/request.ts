import { DEFAULT_NAMESPACE, decode, type IntentionRequest, WILDCARD } from '@lictor/protocol';
import { byteLength, findMetaProblems, joinProblems, META_VALUE_MAX_BYTES, quote, rejected } from '../problems.ts';
import { type IntentionSourceFields, intentionSourceShape } from './entry-shape.ts';

/** What the id endpoints add to a new or changed intention. */
export interface LegacyIdentity {
  readonly id: string;
  /** RFC 3339. */
  readonly now: string;
}

/**
 * The source that POST/PUT /v1/connect/intentions[/:id] writes.
 * @throws LictorError `rejected`
 */
export function legacySource(request: IntentionRequest, identity: LegacyIdentity): IntentionSourceFields {
  if (request.SourcePeer !== '') throw rejected('SourcePeer field is not supported on this endpoint. Use config entries instead');
  validateTenancy(request);
  const problems = findLegacyProblems(request);
  if (problems.length > 0) throw rejected(joinProblems(problems));
  return decode(intentionSourceShape, {
    Name: request.SourceName,
    Action: request.Action,
    Type: sourceType(request),
    Description: request.Description,
    LegacyID: identity.id,
    LegacyMeta: request.Meta,
    LegacyCreateTime: identity.now,
    LegacyUpdateTime: identity.now,
  });
}

/**
 * The source that PUT /v1/connect/intentions/exact writes. `entryMeta` is the Meta of the entry that holds the destination's intentions, or
 * undefined without one: clients may send it back unchanged.
 * @throws LictorError `rejected`
 */
export function exactSource(request: IntentionRequest, entryMeta: Readonly<Record<string, string>> | undefined): IntentionSourceFields {
  if (request.ID !== '') throw rejected('ID must not be specified');
  validateTenancy(request);
  const meta = Object.entries(request.Meta);
  if (meta.length > 0 && entryMeta === undefined) throw rejected('Meta must not be specified');
  const isSame = meta.length === Object.keys(entryMeta ?? {}).length && meta.every(([key, value]) => entryMeta?.[key] === value);
  if (meta.length > 0 && !isSame) throw rejected('Meta must not be specified, or should be unchanged during an update.');
  return decode(intentionSourceShape, {
    Name: request.SourceName,
    Peer: request.SourcePeer,
    Action: request.Action,
    Permissions: request.Permissions,
    Type: sourceType(request),
    Description: request.Description,
  });
}

/**
 * Reads `web`, `default/web` or `default/default/web`.
 * @throws LictorError `rejected` for any other tenancy; `side` is `Source` or `Destination`
 */
export function parseIntentionName(text: string, side: 'Source' | 'Destination'): string {
  const parts = text.split('/');
  const parameter = `${side.toLowerCase()} ${quote(text)} is invalid`;
  if (text.startsWith('peer:')) throw rejected(`${parameter}: cannot specify a peer here`);
  if (parts.length > 3) throw rejected(`${parameter}: input can contain at most two '/'`);
  const name = parts.at(-1) ?? '';
  const namespace = parts.length > 1 ? (parts.at(-2) ?? '') : DEFAULT_NAMESPACE;
  if (!isDefault(namespace)) throw rejected(`Invalid ${side}NS ${quote(namespace)}: Namespaces is a Consul Enterprise feature`);
  const partition = parts.length > 2 ? (parts.at(-3) ?? '') : '';
  if (!isDefault(partition)) throw rejected(`Invalid ${side}Partition ${quote(partition)}: Partitions is a Consul Enterprise feature`);
  return name;
}

function validateTenancy(request: IntentionRequest): void {
  const check = (side: string, kind: string, value: string): void => {
    if (!isDefault(value))
      throw rejected(
        `Invalid ${side} ${kind} ${quote(value)}: ${kind === 'partition' ? 'Partitions' : 'Namespaces'} is a Consul Enterprise feature`,
      );
  };
  check('source', 'partition', request.SourcePartition);
  check('source', 'namespace', request.SourceNS);
  check('destination', 'partition', request.DestinationPartition);
  check('destination', 'namespace', request.DestinationNS);
}

function isDefault(tenancy: string): boolean {
  return tenancy === '' || tenancy.toLowerCase() === DEFAULT_NAMESPACE;
}

function sourceType(request: IntentionRequest): string {
  return request.SourceType === '' ? 'consul' : request.SourceType;
}

function findLegacyProblems(request: IntentionRequest): string[] {
  const problems: string[] = [];
  for (const field of ['SourceName', 'DestinationName'] as const) if (request[field] === '') problems.push(`${field} must be set`);
  for (const field of ['SourceName', 'DestinationName'] as const) {
    const value = request[field];
    if (value !== WILDCARD && value.includes(WILDCARD))
      problems.push(`${field}: wildcard character '*' cannot be used with partial values`);
  }
  if (byteLength(request.Description) > META_VALUE_MAX_BYTES) problems.push(`Description exceeds maximum length ${META_VALUE_MAX_BYTES}`);
  problems.push(...findMetaProblems(request.Meta));
  if (request.Action !== 'allow' && request.Action !== 'deny') problems.push("Action must be set to 'allow' or 'deny'");
  if (request.Permissions.length > 0) problems.push('Permissions must not be set when using the legacy APIs');
  if (sourceType(request) !== 'consul') problems.push("SourceType must be set to 'consul'");
  return problems;
}
