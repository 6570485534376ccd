import { isIPv4, isIPv6 } from 'node:net';
import { type CheckDefinition, LictorError, type NodeService, type ServiceDefinition } from '@lictor/protocol';
import { findBadName, joinProblems, quote } from '../problems.ts';
import { isValidCheckStatus, validateCheck } from './check.ts';
import { validateServiceMeta, validateWeights } from './metadata.ts';
import { collectChecks, normaliseService } from './normalise.ts';
import { checkTenancy } from './tenancy.ts';
import { findServiceProblems } from './validate.ts';

const ANY_ADDRESSES = ['0.0.0.0', '::', '[::]'];

/**
 * Checks a definition in the order and with the texts of PUT /v1/agent/service/register.
 * @throws LictorError `invalid-argument`
 */
export function validateService(definition: ServiceDefinition): void {
  checkTenancy(definition);
  if (definition.Name === '') throw refuse('Missing service name');
  if (isAnyAddress(definition.Address)) throw refuse('Invalid service address');
  const { service } = normaliseService(definition);
  const badName = findBadName(service.Service, service.ID, service.Proxy.DestinationServiceName);
  if (badName !== undefined) throw refuse(badName);
  validateBasics(service);
  const sidecar = definition.Connect?.SidecarService;
  const problems = findServiceProblems(service, sidecar === undefined ? {} : { sidecar });
  if (problems.length > 0) throw refuse(`Validation failed: ${joinProblems(problems)}`);
  validateChecks(collectChecks(definition), 'Invalid check');
  if (sidecar !== undefined) validateChecks(collectChecks(sidecar), 'Invalid check in sidecar_service');
}

/**
 * Checks a check in the order and with the texts of PUT /v1/agent/check/register.
 * @throws LictorError `invalid-argument`
 */
export function validateCheckDefinition(check: CheckDefinition): void {
  if (check.Name === '') throw refuse('Missing check name');
  if (check.Status !== '' && !isValidCheckStatus(check.Status)) throw refuse('Bad check status');
  const problem = validateCheck(check);
  if (problem !== undefined) throw refuse(`Invalid check: ${problem}`);
}

/** `0.0.0.0` and `::`, which cannot be connected to. */
export function isAnyAddress(address: string): boolean {
  return ANY_ADDRESSES.includes(address);
}

/** @throws LictorError `invalid-argument` for weights, metadata or tagged addresses that are not allowed */
function validateBasics(service: NodeService): void {
  const weights = validateWeights(service.Weights);
  if (weights !== undefined) throw refuse(`Invalid Weights: ${weights}`);
  const meta = validateServiceMeta(service.Kind, service.Meta);
  if (meta !== undefined) throw refuse(`Invalid Service Meta: ${meta}`);
  const tagged = validateTaggedAddresses(service);
  if (tagged !== undefined) throw refuse(tagged);
}

function validateChecks(checks: readonly CheckDefinition[], prefix: string): void {
  for (const check of checks) {
    const problem = validateCheck(check);
    if (problem !== undefined) throw refuse(`${prefix}: ${problem}`);
  }
  for (const check of checks) {
    if (check.Status !== '' && !isValidCheckStatus(check.Status)) throw refuse("Status for checks must 'passing', 'warning', 'critical'");
  }
}

/** What is wrong with `lan_ipv4` and its like. */
export function validateTaggedAddresses(service: Pick<NodeService, 'TaggedAddresses'>): string | undefined {
  for (const [tag, { Address: address }] of Object.entries(service.TaggedAddresses ?? {})) {
    if (tag.endsWith('_ipv4') && !isIPv4(address)) return `Service tagged address ${quote(tag)} must be a valid ipv4 address`;
    if (tag.endsWith('_ipv6') && !isIPv6(address)) return `Service tagged address ${quote(tag)} must be a valid ipv6 address`;
  }
  return undefined;
}

function refuse(message: string): LictorError {
  return new LictorError('invalid-argument', message);
}
