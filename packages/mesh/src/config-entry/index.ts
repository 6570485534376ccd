export { type AclRequirement, type ConfigEntryAcl, configEntryAcl, isAuthorised } from './acl.ts';
export { checkConfigEntryKind, encodeConfigEntry, isReadableConfigEntry, parseConfigEntry } from './parse.ts';
export { mergeServiceConfig } from './merge.ts';
export { type ResolveInput, resolveServiceConfig, upstreamKey } from './resolve.ts';
