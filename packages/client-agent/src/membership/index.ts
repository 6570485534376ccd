export { findServers } from './find-servers.ts';
export { retryJoin } from './retry-join.ts';
export { memberName, memberTags } from './member-tags.ts';
export { AgentMembership, type MembershipPorts } from './membership.ts';
