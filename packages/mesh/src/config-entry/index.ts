export { type AclRequirement, type ConfigEntryAcl, configEntryAcl, isAuthorised } from './acl.ts';
export { checkConfigEntryKind, parseConfigEntry } from './parse.ts';
