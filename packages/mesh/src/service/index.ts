export { type CheckType, checkType, isEmptyCheck, isValidCheckStatus, validateCheck } from './check.ts';
export { validateNodeMeta, validateServiceMeta, validateWeights } from './metadata.ts';
export { assignCheckIds, collectChecks, type NormalisedService, normaliseProxy, normaliseService } from './normalise.ts';
export { allocateSidecarPort, expandSidecar, SIDECAR_MAX_PORT, SIDECAR_MIN_PORT, SIDECAR_SUFFIX, sidecarId } from './sidecar.ts';
export { checkTenancy } from './tenancy.ts';
export {
  DEFAULT_BIND_ADDRESS,
  findUpstreamProblems,
  normaliseUpstream,
  upstreamBindAddress,
  validateUpstream,
} from './upstream.ts';
export { findAgentServiceProblems, findPortProblems, findServiceProblems, type NestedSidecar } from './validate.ts';
export { isAnyAddress, validateCheckDefinition, validateService, validateTaggedAddresses } from './validate-definition.ts';
