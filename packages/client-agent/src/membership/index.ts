export { type MembershipPorts, SelfMembership } from './membership.ts';
