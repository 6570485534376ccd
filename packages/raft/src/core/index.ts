export * from './effects.ts';
export * from './entry.ts';
export * from './errors.ts';
export {
  changeMembership,
  decodeMembership,
  EMPTY_MEMBERSHIP,
  isJoint,
  isSoleVoter,
  isVoter,
  type MembershipChange,
  membersOf,
} from './membership.ts';
export * from './message.ts';
export * from './options.ts';
export { Progress, type ProgressState } from './progress.ts';
export { Raft } from './raft.ts';
