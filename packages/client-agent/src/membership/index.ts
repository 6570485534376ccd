export { AgentMembership, type MembershipPorts, type PeerMember, type Peers } from './membership.ts';
